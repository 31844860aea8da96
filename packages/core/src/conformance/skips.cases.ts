import assert from 'node:assert/strict'
import type { NewEvent } from '../event.js'
import { deferred } from './deferred.js'
import { Follower } from './follower.js'
import {
  ascending,
  at,
  event,
  events,
  goesThrough,
  idsOf,
  positionsOf,
  refused,
  same,
  started,
  upTo,
} from './helpers.js'
import { write } from './storm.js'
import { topic } from './topic.js'

export const skips = topic('skips', {
  'a-higher-position-commits-first': async ({ store, another, hold }) => {
    const follower = new Follower(await another())
    await store.append('before', events(1))
    await follower.poll()
    const early = hold(store, (tx) => tx.append('a', events(2)))
    const { position } = await early.ready
    const late = store.append('b', events(2))
    const overtook = await goesThrough(late)
    await follower.poll()
    await follower.poll()
    if (overtook) assert.ok(position < (await late).position)
    same(follower.seen.length, 1, 'nothing above an undecided append is handed out')
    await early.commit()
    await late
    await follower.sawAll()
    same(follower.seen.length, 5)
  },

  'a-lower-position-is-rolled-back': async ({ store, another, hold }) => {
    const follower = new Follower(await another())
    const early = hold(store, (tx) => tx.append('a', events(2)))
    await early.ready
    const late = store.append('b', events(2))
    await goesThrough(late)
    await follower.poll()
    same(follower.seen, [])
    await early.rollback()
    const { events: appended } = await late
    await follower.sawAll()
    same(follower.seen, appended)
  },

  'settled-position-never-passes-an-undecided-append': async ({ store, another, hold }) => {
    const other = await another()
    const early = hold(store, (tx) => tx.append('a', events(1)))
    const { position } = await early.ready
    assert.ok((await other.settledPosition()) < position)
    const late = store.append('b', events(1))
    await goesThrough(late)
    for (const _ of upTo(5)) assert.ok((await other.settledPosition()) < position)
    await early.commit()
    assert.ok((await late).position > position)
    await new Follower(other).sawAll()
    assert.ok((await other.settledPosition()) >= (await late).position)
  },

  'a-read-covers-all-that-was-committed-when-it-began': async ({ opened, store, another, hold }) => {
    const other = await another()
    const early = hold(store, (tx) => tx.append('a', events(1)))
    await early.ready
    const late = store.append('b', events(1))
    const overtook = await goesThrough(late)
    const begun = [started(other.readAll().toArray()), started(other.readAll({ limit: 2 }).toArray())]
    const [first, count] = [started(other.readAll().first()), started(other.readAll().count())]
    if (overtook) {
      const options = { waitForSettledMs: 50 }
      const error = await refused(() => other.readAll(options).toArray(), 'VARVE_UNAVAILABLE')
      const { blocker } = error as { blocker?: { pid?: number; ageMs?: number; detail: string } }
      same(
        [typeof blocker?.pid, typeof blocker?.ageMs, typeof blocker?.detail],
        ['number', 'number', 'string'],
      )
      await refused(() => other.readAll(options).count(), 'VARVE_UNAVAILABLE')
      await refused(() => other.readAll(options).first(), 'VARVE_UNAVAILABLE')
      await refused(() => other.readAll({ ...options, limit: 1 }).toArray(), 'VARVE_UNAVAILABLE')
      const everywhere = (await opened.another()).allTenants()
      await refused(() => everywhere.readAll(options).toArray(), 'VARVE_UNAVAILABLE')
      same(await goesThrough(Promise.race(begun), 20), false)
    }
    await early.commit()
    await late
    // without the overtaking there was nothing committed that the reads had to cover
    if (!overtook) {
      await Promise.all([...begun, first, count])
      return
    }
    const all = await other.readAll().toArray()
    for (const read of begun) same(await read, all)
    same([await first, await count], [at(all, 0), 2])
  },

  'reads-without-the-guard-do-not-wait': async ({ store, another, hold }) => {
    const other = await another()
    const early = hold(store, (tx) => tx.append('a', events(1)))
    await early.ready
    const batch = events(1)
    const late = store.append('b', batch)
    const visible = (await goesThrough(late)) ? idsOf(batch) : []
    same(idsOf(await other.readAll({ settled: false }).toArray()), visible)
    same(idsOf(await other.readAll({ direction: 'backwards' }).toArray()), visible)
    same(idsOf(await other.readStream('b').toArray()), visible)
    await early.commit()
    await late
  },

  'transactions-commit-in-mixed-order': async ({ store, another, hold }) => {
    const other = await another()
    const follower = new Follower(other)
    const order = [3, 1, 4, 0, 2]
    const holds = order.map((n) => hold(n % 2 ? store : other, (tx) => tx.append(`s-${n}`, events(1))))
    await goesThrough(Promise.all(holds.map(({ ready }) => ready)))
    for (const index of [2, 0, 4, 3, 1]) {
      await follower.poll()
      const held = at(holds, index)
      if (await goesThrough(held.ready, 30)) await (index === 3 ? held.rollback() : held.commit())
    }
    // where only one may write at a time, the others begin when it has ended
    await Promise.allSettled(holds.map((held) => held.commit()))
    await follower.sawAll()
    ascending(positionsOf(follower.seen))
  },

  'a-savepoint-is-rolled-back-in-between': async ({ store, another, hold }) => {
    const follower = new Follower(await another())
    await store.append('taken', events(3))
    const kept = events(2)
    await follower.poll()
    const held = hold(store, async (tx) => {
      await tx.append('a', kept.slice(0, 1))
      await refused(tx.append('taken', events(5), { expectedVersion: 1 }), 'VARVE_CONCURRENCY')
      await tx.append('b', kept.slice(1))
    })
    await held.ready
    await follower.poll()
    const late = store.append('c', events(1))
    await goesThrough(late)
    await follower.poll()
    same(follower.seen.length, 3)
    await held.commit()
    await late
    await follower.sawAll()
    same(follower.seen.length, 6)
  },

  'an-append-is-the-first-statement-of-a-callers-transaction': async ({ store, opened, another, defer }) => {
    const follower = new Follower(await another())
    const own = await opened.begin()
    let open = true
    defer(async () => {
      if (open) await own.rollback()
    })
    await store.using(own.client).append('a', events(1))
    const late = store.append('b', events(1))
    await goesThrough(late)
    await follower.poll()
    same(follower.seen, [])
    open = false
    await own.commit()
    await late
    await follower.sawAll()
    same(follower.seen.length, 2)
  },

  'time-runs-against-position': async ({ store, another }) => {
    const other = await another()
    const follower = new Follower(other)
    const begun = deferred()
    const old = started(
      store.transaction(async (tx) => {
        await tx.readStream('a').count()
        begun.resolve()
        const outside = other.append('young', [event('tested', {}, { occurredAt: new Date(5_000) })])
        await goesThrough(outside)
        await follower.poll()
        await tx.append('old', [event('tested', {}, { occurredAt: new Date(1_000) })])
        return { outside }
      }),
    )
    await begun.promise
    await (
      await old
    ).outside
    await store.append(
      'a',
      upTo(5).map((n) => event('tested', {}, { occurredAt: new Date(900 - n) })),
    )
    await follower.sawAll()
    same(follower.seen.length, 7)
  },

  'a-filter-hides-most-of-the-log': async ({ store, another, hold }) => {
    const other = await another()
    const followers = [
      new Follower(other, { types: ['rare'] }),
      new Follower(other, { types: ['ra.*', 'rare'], limit: 1 }),
      new Follower(other, { streamIds: ['needle'] }),
      new Follower(other, { tags: ['rare'] }),
    ]
    const rare = (): NewEvent[] => [event('rare', {}, { tags: ['rare'] })]
    for (const round of upTo(3)) {
      const early = hold(store, (tx) => tx.append('needle', rare()))
      await early.ready
      const late = store.append(`hay-${round}`, [...events(30), ...rare(), ...events(5)])
      await goesThrough(late)
      for (const follower of followers) await follower.poll()
      await early.commit()
      await late
      for (const follower of followers) await follower.poll()
    }
    for (const follower of followers) await follower.sawAll()
    same(
      followers.map(({ seen }) => seen.length),
      [6, 6, 3, 6],
    )
  },

  'an-undecided-append-of-another-tenant-counts-too': async ({ opened, another, hold }) => {
    const [one, two] = [opened.store.forTenant('skip-1'), opened.store.forTenant('skip-2')]
    const follower = new Follower((await opened.another()).allTenants(), { streamIds: ['across-tenants'] })
    await another()
    const early = hold(one, (tx) => tx.append('across-tenants', events(1)))
    await early.ready
    const late = two.append('across-tenants', events(1))
    await goesThrough(late)
    await follower.poll()
    same(follower.seen, [])
    await early.commit()
    await late
    await follower.sawAll()
    same(
      follower.seen.map(({ tenantId }) => tenantId),
      ['skip-1', 'skip-2'],
    )
  },

  'a-storm-of-writers': async ({ store, another }) => {
    const other = await another()
    const followers = [
      new Follower(other),
      new Follower(store, { limit: 3 }),
      new Follower(other, { types: ['rare'] }),
      new Follower(other, { streamTypes: ['stream'] }),
    ]
    const committed: string[] = []
    let writing = 4
    const writers = upTo(writing).map(async (writer) => {
      for (const step of upTo(24)) committed.push(...(await write(writer % 2 ? store : other, writer, step)))
      writing -= 1
    })
    await Promise.all([...writers, ...followers.map((follower) => follower.pollUntil(() => writing === 0))])
    for (const follower of followers) await follower.sawAll()
    same(new Set(idsOf(at(followers, 0).seen)), new Set(committed))
    same((await store.verify()).problems, [])
  },
})
