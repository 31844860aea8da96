import assert from 'node:assert/strict'
import type { StreamWrite } from '../event-store.js'
import {
  ascending,
  collect,
  event,
  events,
  holds,
  positionsOf,
  refused,
  same,
  streamIds,
  upTo,
} from './helpers.js'
import { topic } from './topic.js'

export const appendMany = topic('append-many', {
  'writes-all-in-the-order-given': async ({ store }) => {
    const writes = ['z', 'a', 'm'].map((streamId, index) => ({ streamId, events: events(index + 1) }))
    const results = await store.appendMany(writes)
    same(
      results.map(({ streamId, version, duplicate }) => [streamId, version, duplicate]),
      [
        ['z', 1, false],
        ['a', 2, false],
        ['m', 3, false],
      ],
    )
    const all = results.flatMap((result) => result.events)
    ascending(positionsOf(all))
    same(await store.readAll().toArray(), all)
    for (const result of results) same(result.position, result.events.at(-1)?.position)
    for (const write of writes) await holds(store, write.streamId, write.events)
  },

  'each-write-has-its-own-expectation': async ({ store }) => {
    await store.append('b', events(2))
    const results = await store.appendMany([
      { streamId: 'a', events: events(1), expectedVersion: 'no-stream', streamType: 'account' },
      { streamId: 'b', events: events(1), expectedVersion: 2 },
      { streamId: 'c', events: events(1), expectedVersion: 0 },
      { streamId: 'd', events: events(1) },
    ])
    same(
      results.map(({ version }) => version),
      [1, 3, 1, 1],
    )
    same((await store.getStream('a'))?.streamType, 'account')
  },

  'one-miss-undoes-all': async ({ store }) => {
    const stored = events(2)
    await store.append('b', stored)
    const attempt = store.appendMany([
      { streamId: 'a', events: events(1) },
      { streamId: 'b', events: events(1), expectedVersion: 1 },
      { streamId: 'c', events: events(1) },
    ])
    await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'b', expectedVersion: 1, actualVersion: 2 })
    await holds(store, 'b', stored)
    same(await streamIds(store, { includeArchived: true }), ['b'])
    same((await store.append('a', events(1), { streamType: 'fresh' })).version, 1)
  },

  'an-archived-stream-undoes-all': async ({ store }) => {
    await store.append('b', events(1))
    await store.archiveStream('b')
    const attempt = store.appendMany([
      { streamId: 'a', events: events(1) },
      { streamId: 'b', events: events(1) },
    ])
    await refused(attempt, 'VARVE_STREAM_ARCHIVED', { streamId: 'b' })
    same(await store.readAll().count(), 1)
    same(await store.getStream('a'), undefined)
  },

  'another-stream-type-undoes-all': async ({ store }) => {
    await store.append('b', events(1), { streamType: 'account' })
    const writes = [
      { streamId: 'a', events: events(1) },
      { streamId: 'b', events: events(1), streamType: 'order' },
    ]
    await refused(store.appendMany(writes), 'VARVE_INVALID_ARGUMENT')
    same(await store.readAll().count(), 1)
  },

  'an-invalid-event-undoes-all': async ({ store }) => {
    const bad = event('tested', { a: { b: Number.NaN } })
    const writes = [
      { streamId: 'a', events: events(1) },
      { streamId: 'b', events: [...events(1), bad] },
    ]
    const error = await refused(store.appendMany(writes), 'VARVE_INVALID_EVENT')
    assert.match(String(error['path']), /events\[1\]\.data\.a\.b$/)
    same(await store.readAll().count(), 0)
  },

  'the-same-stream-twice-is-refused': async ({ store }) => {
    const write = (): StreamWrite => ({ streamId: 'a', events: events(1) })
    await refused(store.appendMany([write(), write()]), 'VARVE_INVALID_ARGUMENT')
    await refused(store.appendMany([write(), { streamId: 'a', events: [] }]), 'VARVE_INVALID_ARGUMENT')
    same(await store.getStream('a'), undefined)
  },

  'unknown-names-are-refused': async ({ store }) => {
    const misspelt = { streamId: 'a', events: events(1), expected: 4 } as StreamWrite
    await refused(store.appendMany([misspelt]), 'VARVE_INVALID_ARGUMENT')
    same(await store.getStream('a'), undefined)
  },

  'a-hundred-streams-at-once': async ({ store }) => {
    const writes = upTo(100).map((n) => ({ streamId: `s-${100 - n}`, events: events(3) }))
    const results = await store.appendMany(writes)
    ascending(positionsOf(results.flatMap((result) => result.events)))
    same(
      (await collect(store.listStreams())).map(({ version }) => version),
      upTo(100).map(() => 3),
    )
  },
})
