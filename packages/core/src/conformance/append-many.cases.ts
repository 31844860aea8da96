import assert from 'node:assert/strict'
import type { StreamWrite } from '../event-store.js'
import {
  ascending,
  at,
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

  'a-check-passes-and-writes-nothing': async ({ store }) => {
    await store.append('checked', events(3))
    const [check, write] = await store.appendMany([
      { streamId: 'checked', events: [], expectedVersion: 3 },
      { streamId: 'a', events: events(1) },
    ])
    assert.ok(check && write)
    same([check.streamId, check.version, check.position, check.events], ['checked', 3, 0, []])
    same([write.version, await store.readStream('checked').count()], [1, 3])
    same((await store.append('checked', events(1), { expectedVersion: 3 })).version, 4)
  },

  'a-failed-check-undoes-all': async ({ store }) => {
    await store.append('checked', events(3))
    for (const expectedVersion of [0, 2, 4, 'no-stream'] as const) {
      const attempt = store.appendMany([
        { streamId: 'a', events: events(1) },
        { streamId: 'checked', events: [], expectedVersion },
      ])
      await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'checked', expectedVersion, actualVersion: 3 })
    }
    same(await store.getStream('a'), undefined)
  },

  'a-check-of-a-missing-stream-leaves-no-trace': async ({ store }) => {
    for (const expectedVersion of [0, 'no-stream', 'any'] as const) {
      const [check] = await store.appendMany([
        { streamId: 'missing', events: [], expectedVersion },
        { streamId: 'a', events: events(1) },
      ])
      assert.ok(check)
      same([check.version, check.position, check.events], [0, 0, []])
    }
    same(await store.getStream('missing'), undefined)
    same(await streamIds(store, { includeArchived: true }), ['a'])
    same((await store.statistics()).streams, 1)
    const first = await store.append('missing', events(1), {
      streamType: 'late',
      expectedVersion: 'no-stream',
    })
    same([first.version, first.events[0]?.streamType], [1, 'late'])
    same((await store.verify()).problems, [])
  },

  'a-failed-check-of-a-missing-stream-leaves-no-trace': async ({ store }) => {
    for (const expectedVersion of ['stream-exists', 1] as const) {
      const attempt = store.appendMany([
        { streamId: 'a', events: events(1) },
        { streamId: 'missing', events: [], expectedVersion },
      ])
      await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'missing', expectedVersion, actualVersion: 0 })
    }
    same(await streamIds(store, { includeArchived: true }), [])
  },

  'a-check-of-an-archived-stream-is-allowed': async ({ store }) => {
    await store.append('old', events(2))
    await store.archiveStream('old')
    const [check] = await store.appendMany([
      { streamId: 'old', events: [], expectedVersion: 2 },
      { streamId: 'a', events: events(1) },
    ])
    same([check?.version, check?.position], [2, 0])
    const attempt = store.appendMany([{ streamId: 'old', events: [], expectedVersion: 1 }])
    await refused(attempt, 'VARVE_CONCURRENCY', { actualVersion: 2 })
  },

  'checks-alone-are-allowed': async ({ store }) => {
    await store.append('a', events(1))
    const results = await store.appendMany([
      { streamId: 'a', events: [], expectedVersion: 'stream-exists' },
      { streamId: 'b', events: [], expectedVersion: 'no-stream' },
    ])
    same(
      results.map(({ version, position }) => [version, position]),
      [
        [1, 0],
        [0, 0],
      ],
    )
    await refused(store.appendMany([{ streamId: 'a', events: [], expectedVersion: 2 }]), 'VARVE_CONCURRENCY')
  },

  // each decided on the other's stream being empty: both going through is the classic write skew
  'of-two-that-check-each-other-one-wins': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(8)) {
      const [x, y] = [`x-${round}`, `y-${round}`]
      const crossed = (write: string, check: string): StreamWrite[] => [
        { streamId: write, events: events(1), expectedVersion: 0 },
        { streamId: check, events: [], expectedVersion: 'no-stream' },
      ]
      const attempts = [store.appendMany(crossed(x, y)), other.appendMany(crossed(y, x))]
      const outcomes = await Promise.allSettled(attempts)
      same(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`)
      for (const [index, { status }] of outcomes.entries()) {
        if (status === 'rejected')
          await refused(at(attempts, index), 'VARVE_CONCURRENCY', { actualVersion: 1 })
      }
      same(
        (await streamIds(store, { prefix: `x-${round}` })).length +
          (await streamIds(store, { prefix: `y-${round}` })).length,
        1,
      )
    }
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
