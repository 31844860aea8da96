import { eventually, expectAll, gather, model, noting, run } from './consume.js'
import { deferred } from './deferred.js'
import { events, goesThrough, idsOf, same, started, upTo } from './helpers.js'
import { topic } from './topic.js'

export const feedOutages = topic('feed-outages', {
  'subscriptions-outlive-dropped-connections': async ({ fresh, faults, defer }) => {
    const opened = await fresh({ faults: true })
    const controller = new AbortController()
    defer(async () => controller.abort())
    const feeds = upTo(5).map(() => gather(opened.store.subscribe({ signal: controller.signal })))
    for (const n of upTo(6)) {
      await opened.store.append(`s-${n}`, events(40))
      await faults.dropConnections(opened)
    }
    for (const feed of feeds) {
      await feed.until(240)
      same(idsOf(feed.seen), idsOf(await opened.store.readAll().toArray()))
    }
  },

  'subscriptions-outlive-an-absence': async ({ fresh, faults, defer }) => {
    const opened = await fresh({ faults: true })
    const controller = new AbortController()
    defer(async () => controller.abort())
    const feed = gather(opened.store.subscribe({ signal: controller.signal }))
    await opened.store.append('a', events(3))
    await feed.until(3)
    const other = await opened.another()
    await faults.away(opened)
    await other.append('a', events(3))
    await faults.back(opened)
    await opened.store.append('a', events(3))
    await feed.until(9)
    same(idsOf(feed.seen), idsOf(await other.readAll().toArray()))
  },

  'projections-outlive-dropped-connections': async ({ fresh, faults, defer }) => {
    const opened = await fresh({ faults: true })
    const into = await model({ opened })
    const runner = run({ store: opened.store, defer }, [noting(into)], { checkpointEvery: 5 })
    for (const n of upTo(8)) {
      await opened.store.append(`s-${n}`, events(30))
      await faults.dropConnections(opened)
    }
    await runner.caughtUp()
    await expectAll(opened.store, into)
  },

  'whoever-waits-for-projections-outlives-an-absence': async ({ fresh, faults, defer }) => {
    const opened = await fresh({ faults: true })
    const into = await model({ opened })
    const projection = noting(into)
    const runner = run({ store: opened.store, defer }, [projection])
    // it waits while another process leads, and so has to ask the table
    const other = await opened.another()
    const held = deferred()
    const holding = noting(into, {
      name: projection.name,
      handles: {
        tested: async (one, tx) => {
          await held.promise
          await into.note(one, tx)
        },
      },
    })
    await runner.caughtUp()
    const leader = run({ store: other, defer }, [holding])
    await runner.stop()
    await eventually(() => leader.leases.length > 0, 'a leader')
    const waiter = run({ store: opened.store, defer }, [projection])
    defer(async () => held.resolve())
    await other.append('a', events(3))
    const waiting = started(waiter.caughtUp())
    for (const _ of upTo(3)) {
      await faults.dropConnections(opened)
      await faults.away(opened)
      same(await goesThrough(waiting), false)
      await faults.back(opened)
    }
    held.resolve()
    await waiting
    await expectAll(other, into)
  },

  'projections-outlive-an-absence': async ({ fresh, faults, defer }) => {
    const opened = await fresh({ faults: true })
    const into = await model({ opened })
    const runner = run({ store: opened.store, defer }, [noting(into)], { leaseMs: 400 })
    await opened.store.append('a', events(10))
    await runner.caughtUp()
    const other = await opened.another()
    await faults.away(opened)
    await other.append('a', events(10))
    await faults.back(opened)
    await runner.caughtUp()
    await expectAll(other, into)
  },
})
