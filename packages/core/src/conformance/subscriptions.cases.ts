import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { RecordedEvent } from '../event.js'
import type { SubscribeOptions } from '../projection/subscription.js'
import { eventually, gather } from './consume.js'
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
  upTo,
  within,
  started,
} from './helpers.js'
import { topic } from './topic.js'

/** Subscriptions end with their case. */
const stoppable = (defer: (undo: () => Promise<unknown>) => void): AbortSignal => {
  const controller = new AbortController()
  defer(async () => controller.abort())
  return controller.signal
}

export const subscriptions = topic('subscriptions', {
  'catch-up-then-follow': async ({ store, another, defer }) => {
    await store.append('a', events(1_200))
    const feed = gather((await another()).subscribe({ signal: stoppable(defer) }))
    await feed.until(1_200)
    for (const _ of upTo(5)) await store.append('b', events(3))
    await feed.until(1_215)
    same(feed.seen, await store.readAll().toArray())
  },

  'follow-appends-of-the-same-store': async ({ store, defer }) => {
    const feed = gather(store.subscribe({ signal: stoppable(defer) }))
    for (const n of upTo(20)) {
      await store.append(`s-${n % 3}`, events(1))
      await feed.until(n)
    }
    await store.transaction((tx) => tx.append('a', events(2)))
    await feed.until(22)
    ascending(positionsOf(feed.seen))
  },

  'begin-behind-a-position': async ({ store, defer }) => {
    const { events: stored } = await store.append('a', events(5))
    const feed = gather(store.subscribe({ after: at(stored, 2).position, signal: stoppable(defer) }))
    await feed.until(2)
    same(feed.seen, stored.slice(3))
  },

  'begin-at-the-end': async ({ store, defer }) => {
    await store.append('a', events(5))
    const subscription = store.subscribe({ after: 'end', signal: stoppable(defer) })
    const position = await subscription.ready()
    assert.ok(position >= 5)
    const { events: appended } = await store.append('a', events(2))
    const feed = gather(subscription)
    await feed.until(2)
    same(feed.seen, appended)
  },

  'begin-at-the-end-as-it-was-when-they-were-made': async ({ store, defer }) => {
    await store.append('a', events(2))
    const subscription = store.subscribe({ after: 'end', signal: stoppable(defer) })
    await eventually(() => subscription.position !== undefined, 'knowing where the end is')
    const { events: appended } = await store.append('a', events(2))
    const feed = gather(subscription)
    await feed.until(2)
    same(feed.seen, appended)
  },

  'take-all-filters': async ({ store, defer }) => {
    const signal = stoppable(defer)
    const start = await store.append('typed', events(1))
    const filters: SubscribeOptions[] = [
      { types: ['one', 'two.*'] },
      { streamTypes: ['special'] },
      { streamIds: ['s-1'] },
      { tags: ['a:1'] },
      { correlationId: 'c-1' },
      { metadata: { deep: { user: 7 } } },
    ]
    const feeds = filters.map((filter) => gather(store.subscribe({ ...filter, signal })))
    const made = [
      await store.append('t', [event('one'), event('two.x'), event('two'), event('three')]),
      await store.append('special-1', events(2), { streamType: 'special' }),
      await store.append('s-1', events(1)),
      await store.append('t', [
        event('tagged', {}, { tags: ['a:1', 'b:2'] }),
        event('tagged', {}, { tags: ['b:2'] }),
      ]),
      await store.append('t', [event('said', {}, { correlationId: 'c-1' })]),
      await store.append('t', [event('meta', {}, { metadata: { deep: { user: 7, more: 1 } } })]),
    ]
    const expected = [
      at(made, 0).events.slice(0, 2),
      at(made, 1).events,
      at(made, 2).events,
      at(made, 3).events.slice(0, 1),
    ]
    expected.push(at(made, 4).events, at(made, 5).events)
    for (const [index, feed] of feeds.entries()) {
      await feed.until(at(expected, index).length)
      same(idsOf(feed.seen), idsOf(at(expected, index)))
    }
    assert.ok(start.position > 0)
  },

  'move-on-where-the-filter-finds-nothing': async ({ store, defer }) => {
    const subscription = store.subscribe({ types: ['never'], signal: stoppable(defer) })
    const feed = gather(subscription)
    for (const _ of upTo(3)) {
      const { position } = await store.append('a', events(700))
      const reached = async (): Promise<void> => {
        while ((subscription.position ?? 0) < position) await setImmediate()
      }
      await within(reached(), 10_000, 'passing over events of other types')
    }
    const { events: found } = await store.append('a', [event('never')])
    await feed.until(1)
    same(feed.seen, found)
  },

  'end-by-return-while-the-next-event-is-waited-for': async ({ store }) => {
    await store.append('a', events(1))
    const subscription = store.subscribe()
    const iterator = subscription[Symbol.asyncIterator]()
    await iterator.next()
    const waiting = started(Promise.resolve(iterator.next()))
    same(await goesThrough(waiting, 50), false)
    await iterator.return?.()
    same(await within(Promise.resolve(waiting), 15_000, 'a next that nobody needs'), {
      value: undefined,
      done: true,
    })
    await store.append('a', events(1))
    same((await subscription[Symbol.asyncIterator]().next()).value?.version, 2)
  },

  'end-with-a-break-and-go-on-behind-it': async ({ store, defer }) => {
    const { events: stored } = await store.append('a', events(10))
    const subscription = store.subscribe({ batchSize: 4, signal: stoppable(defer) })
    const seen: RecordedEvent[] = []
    for (const count of [3, 1, 5, 1]) {
      let left = count
      for await (const one of subscription) {
        seen.push(one)
        if (--left === 0) break
      }
      same(subscription.position, seen.at(-1)?.position)
    }
    same(seen, stored)
  },

  'end-quietly-with-their-signal': async ({ store }) => {
    await store.append('a', events(3))
    const waiting = new AbortController()
    const feed = gather(store.subscribe({ signal: waiting.signal }))
    await feed.until(3)
    waiting.abort(new Error('not to be thrown'))
    await within(feed.ended, 3_000, 'the end of a waiting subscription')
    const inTheMiddle = new AbortController()
    let count = 0
    for await (const _ of store.subscribe({ signal: inTheMiddle.signal })) {
      count += 1
      inTheMiddle.abort()
    }
    same(count, 1)
    for await (const _ of store.subscribe({ signal: AbortSignal.abort() })) assert.fail('it had been aborted')
  },

  'end-when-the-store-is-closed': async ({ fresh }) => {
    const { store } = await fresh()
    await store.append('a', events(2))
    const feeds = [
      gather(store.subscribe()),
      gather(store.forTenant('other').subscribe()),
      gather(store.allTenants().subscribe()),
    ]
    await at(feeds, 0).until(2)
    await at(feeds, 2).until(2)
    const unread = store.subscribe()[Symbol.asyncIterator]()
    await unread.next()
    await within(store.close(), 10_000, 'close with open subscriptions')
    for (const { ended } of feeds)
      await within(refused(ended, 'VARVE_CLOSED'), 3_000, 'the end of a subscription')
    await refused(() => store.subscribe(), 'VARVE_CLOSED')
  },

  'see-one-tenant-or-all': async ({ fresh, defer }) => {
    const { store } = await fresh()
    const signal = stoppable(defer)
    const one = gather(store.forTenant('t-1').subscribe({ signal }))
    const all = gather(store.allTenants().subscribe({ signal }))
    const first = await store.forTenant('t-1').append('a', events(2))
    const second = await store.forTenant('t-2').append('a', events(2))
    const third = await store.forTenant('t-1').append('b', events(1))
    await one.until(3)
    await all.until(5)
    same(one.seen, [...first.events, ...third.events])
    same(all.seen, [...first.events, ...second.events, ...third.events])
  },

  'never-pass-an-undecided-append': async ({ store, another, hold, defer }) => {
    await store.append('before', events(1))
    const feed = gather((await another()).subscribe({ signal: stoppable(defer) }))
    await feed.until(1)
    const early = hold(store, (tx) => tx.append('a', events(2)))
    await early.ready
    const late = store.append('b', events(2))
    await goesThrough(late, 60)
    same([await goesThrough(feed.until(2), 100), feed.seen.length], [false, 1])
    await early.commit()
    await late
    await feed.until(5)
    same(feed.seen, await store.readAll().toArray())
  },

  'do-not-wait-for-what-was-rolled-back': async ({ store, another, hold, defer }) => {
    const feed = gather((await another()).subscribe({ signal: stoppable(defer) }))
    const early = hold(store, (tx) => tx.append('a', events(2)))
    await early.ready
    const late = store.append('b', events(2))
    await goesThrough(late)
    await early.rollback()
    const { events: appended } = await late
    await feed.until(2)
    same(feed.seen, appended)
  },

  'are-many-at-once': async ({ store, another, defer }) => {
    const signal = stoppable(defer)
    const other = await another()
    const feeds = upTo(50).map((n) => gather((n % 2 ? store : other).subscribe({ signal })))
    for (const n of upTo(10)) await store.append(`s-${n}`, events(4))
    for (const feed of feeds) await feed.until(40)
    const all = idsOf(await store.readAll().toArray())
    for (const feed of feeds) same(idsOf(feed.seen), all)
    same((await within(store.append('z', events(1)), 5_000, 'an append beside them')).version, 1)
  },

  'hold-back-nothing-when-nobody-takes': async ({ store }) => {
    await store.append('a', events(2_000))
    const iterators = upTo(20).map(() => store.subscribe({ batchSize: 100 })[Symbol.asyncIterator]())
    for (const iterator of iterators) same((await iterator.next()).done, false)
    same((await within(store.append('b', events(1)), 5_000, 'an append beside them')).version, 1)
    for (const iterator of iterators) await iterator.return?.()
  },

  'give-events-in-their-order-to-impatient-callers': async ({ store }) => {
    const { events: stored } = await store.append('a', events(7))
    const iterator = store.subscribe({ batchSize: 2 })[Symbol.asyncIterator]()
    const given = await Promise.all(stored.map(() => iterator.next()))
    same(idsOf(given.map(({ value }) => value as RecordedEvent)), idsOf(stored))
    await iterator.return?.()
    same((await iterator.next()).done, true)
  },

  'refuse-nonsense': async ({ store }) => {
    const nonsense: object[] = [
      { after: -1 },
      { after: 'start' },
      { batchSize: 0 },
      { type: ['a'] },
      { signal: {} },
      { limit: 3 },
    ]
    for (const options of nonsense) await refused(() => store.subscribe(options), 'VARVE_INVALID_ARGUMENT')
    const subscription = store.subscribe()
    const first = subscription[Symbol.asyncIterator]()
    await refused(() => subscription[Symbol.asyncIterator](), 'VARVE_INVALID_ARGUMENT')
    await first.return?.()
    await subscription[Symbol.asyncIterator]().return?.()
  },
})
