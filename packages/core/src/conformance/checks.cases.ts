import assert from 'node:assert/strict'
import type { StreamWrite } from '../event-store.js'
import { at, events, refused, same, streamIds, upTo } from './helpers.js'
import { topic } from './topic.js'

export const checks = topic('checks', {
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
})
