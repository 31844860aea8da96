import assert from 'node:assert/strict'
import { ascending, at, events, holds, idsOf, positionsOf, same, upTo, versionsOf } from './helpers.js'
import { topic } from './topic.js'

export const ordering = topic('ordering', {
  'later-appends-have-higher-positions': async ({ store }) => {
    const positions: number[] = []
    for (const streamId of ['m', 'z', 'a', 'm', 'b']) {
      positions.push(...positionsOf((await store.append(streamId, events(2))).events))
    }
    ascending(positions)
  },

  'unawaited-appends-keep-the-order-of-the-calls': async ({ store }) => {
    const batch = events(40)
    const results = await Promise.all(batch.map((one) => store.append('a', [one])))
    same(
      results.map(({ version }) => version),
      upTo(40),
    )
    ascending(results.map(({ position }) => position))
    await holds(store, 'a', batch)
  },

  'unawaited-appends-see-each-other': async ({ store }) => {
    const batch = events(20)
    await Promise.all(batch.map((one, index) => store.append('a', [one], { expectedVersion: index })))
    await holds(store, 'a', batch)
  },

  'unawaited-kinds-of-append-keep-their-order': async ({ store }) => {
    const batch = events(12)
    const calls = batch.map((one, index) =>
      index % 3 === 0
        ? store.appendMany([
            { streamId: 'a', events: [one] },
            { streamId: `other-${index}`, events: events(1) },
          ])
        : store.append('a', [one], index % 3 === 1 ? { expectedVersion: index } : {}),
    )
    await Promise.all(calls)
    await holds(store, 'a', batch)
  },

  'unawaited-appends-to-many-streams': async ({ store }) => {
    const results = await Promise.all(upTo(60).map((n) => store.append(`s-${n}`, events(2))))
    for (const result of results) same([result.version, versionsOf(result.events)], [2, [1, 2]])
    const stored = await store.readAll().toArray()
    same(stored.length, 120)
    same(new Set(idsOf(stored)).size, 120)
    for (const {
      events: [first, second],
    } of results) {
      assert.ok(first && second)
      const index = stored.findIndex(({ id }) => id === first.id)
      same([stored[index], stored.findIndex(({ id }) => id === second.id) > index], [first, true])
    }
  },

  'a-failure-spoils-no-neighbour': async ({ store }) => {
    const taken = events(1)
    await store.append('taken', taken)
    const good = events(6)
    const outcomes = await Promise.allSettled([
      store.append('a', good.slice(0, 2)),
      store.append('a', events(1), { expectedVersion: 17 }),
      store.append('b', good.slice(2, 3)),
      store.append('c', taken),
      store.append('c', good.slice(3, 4)),
      store.append('d', good.slice(4, 5), { expectedVersion: 'no-stream' }),
      store.append('d', events(1), { expectedVersion: 'no-stream' }),
      store.append('taken', events(1), { streamType: 'another' }),
      store.append('a', good.slice(5), { expectedVersion: 2 }),
    ])
    same(
      outcomes.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, true, true, false, false, true],
    )
    await holds(store, 'a', [...good.slice(0, 2), ...good.slice(5)])
    for (const [streamId, index] of [
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ] as const)
      await holds(store, streamId, [at(good, index)])
    await holds(store, 'taken', taken)
  },

  'recorded-at-never-runs-backwards-in-a-stream': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(10)) await (round % 2 ? store : other).append('a', events(2))
    const times = (await store.readStream('a').toArray()).map(({ recordedAt }) => recordedAt.getTime())
    same(
      times,
      times.toSorted((a, b) => a - b),
    )
  },
})
