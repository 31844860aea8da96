import assert from 'node:assert/strict'
import type { ReadAllOptions } from '../event-store.js'
import { ascending, at, event, events, idsOf, positionsOf, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const readsAll = topic('reads-all', {
  'every-combination-of-range-direction-and-limit': async ({ store }) => {
    for (const n of upTo(6)) await store.append(`s-${n % 3}`, events(1))
    const all = positionsOf(await store.readAll().toArray())
    ascending(all)
    const [second, fifth, last] = [at(all, 1), at(all, 4), at(all, 5)]
    for (const after of [undefined, 0, second, fifth, last, last + 1_000])
      for (const until of [undefined, second, fifth, last, last + 1_000])
        for (const direction of [undefined, 'forwards', 'backwards'] as const)
          for (const limit of [undefined, 1, 4]) {
            const options: ReadAllOptions = {
              ...(after !== undefined && { after }),
              ...(until !== undefined && { until }),
              ...(direction !== undefined && { direction }),
              ...(limit !== undefined && { limit }),
            }
            const range = all.filter((position) => position > (after ?? 0) && position <= (until ?? last))
            const turned = (direction === 'backwards' ? range.toReversed() : range).slice(0, limit ?? 6)
            same(positionsOf(await store.readAll(options).toArray()), turned, JSON.stringify(options))
          }
  },

  'first-last-and-count-agree': async ({ store }) => {
    await store.append('a', events(5))
    const all = positionsOf(await store.readAll().toArray())
    for (const direction of ['forwards', 'backwards'] as const)
      for (const range of [
        {},
        { limit: 3 },
        { after: at(all, 0), until: at(all, 3) },
        { until: at(all, 2), limit: 2 },
        { after: at(all, 4) },
      ]) {
        const options = { ...range, direction }
        const list = positionsOf(await store.readAll(options).toArray())
        const read = store.readAll(options)
        same((await read.first())?.position, list[0], `first of ${JSON.stringify(options)}`)
        same((await read.last())?.position, list.at(-1), `last of ${JSON.stringify(options)}`)
        same(await read.count(), list.length, `count of ${JSON.stringify(options)}`)
      }
  },

  'limit-0-gives-nothing': async ({ store }) => {
    await store.append('a', events(2))
    for (const direction of ['forwards', 'backwards'] as const) {
      const read = store.readAll({ limit: 0, direction })
      same(
        [await read.toArray(), await read.first(), await read.last(), await read.count()],
        [[], undefined, undefined, 0],
      )
    }
  },

  'an-empty-log-gives-nothing': async ({ fresh }) => {
    const { store } = await fresh()
    same([await store.readAll().toArray(), await store.readAll().count()], [[], 0])
    same(
      [await store.lastPosition(), await store.readAll({ direction: 'backwards' }).first()],
      [0, undefined],
    )
    same(await store.allTenants().lastPosition(), 0)
    assert.ok((await store.settledPosition()) >= 0)
  },

  'asks-when-iterated-and-anew-each-time': async ({ store }) => {
    const read = store.readAll()
    same(await read.count(), 0)
    const batch = events(2)
    await store.append('a', batch.slice(0, 1))
    same(idsOf(await read.toArray()), idsOf(batch.slice(0, 1)))
    await store.append('b', batch.slice(1))
    same([idsOf(await read.toArray()), await read.count()], [idsOf(batch), 2])
  },

  'sees-what-was-appended-before-it': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(15)) {
      const { events: appended } = await (round % 2 ? store : other).append(`s-${round % 4}`, events(2))
      same((await store.readAll().toArray()).slice(-2), appended)
      same(await other.readAll({ direction: 'backwards', limit: 1 }).toArray(), appended.slice(-1))
      assert.ok((await other.settledPosition()) >= at(appended, 1).position)
    }
  },

  'longer-than-a-page': async ({ store }) => {
    const batch = events(2_300)
    await store.appendMany(
      upTo(23).map((n) => ({ streamId: `s-${n}`, events: batch.slice(n * 100 - 100, n * 100) })),
    )
    const all = await store.readAll().toArray()
    same(idsOf(all), idsOf(batch))
    same(idsOf(await store.readAll({ direction: 'backwards' }).toArray()), idsOf(batch.toReversed()))
    const [after, until] = [at(all, 300).position, at(all, 2_000).position]
    same(idsOf(await store.readAll({ after, until }).toArray()), idsOf(batch.slice(301, 2_001)))
    same(
      idsOf(await store.readAll({ after, until, direction: 'backwards', limit: 1_600 }).toArray()),
      idsOf(batch.slice(401, 2_001).toReversed()),
    )
    same(await store.readAll({ after, until, limit: 1_600 }).count(), 1_600)
  },

  'stops-on-break': async ({ store }) => {
    await store.append('a', events(2_300))
    for (const direction of ['forwards', 'backwards'] as const)
      for (const stop of [1, 1_200]) {
        let seen = 0
        for await (const _ of store.readAll({ direction })) if (++seen === stop) break
        same(seen, stop)
      }
    same((await store.append('a', events(1))).version, 2_301)
  },

  'resumes-after-any-position': async ({ store }) => {
    const batch = events(12)
    await store.append('a', batch)
    const seen: (string | undefined)[] = []
    for (let after = 0; ;) {
      const page = await store.readAll({ after, limit: 5 }).toArray()
      if (page.length === 0) break
      seen.push(...idsOf(page))
      after = at(page, -1).position
    }
    same(seen, idsOf(batch))
  },

  'unsettled-reads-give-the-same-when-all-is-quiet': async ({ store }) => {
    const batch = events(4)
    await store.append('a', batch)
    same(idsOf(await store.readAll({ settled: false }).toArray()), idsOf(batch))
    same(
      idsOf(await store.readAll({ settled: false, direction: 'backwards', limit: 2 }).toArray()),
      idsOf(batch.slice(2).toReversed()),
    )
  },

  'last-position-is-that-of-the-last-event': async ({ store }) => {
    same(await store.lastPosition(), 0)
    const { position } = await store.append('a', events(3))
    same(await store.lastPosition(), position)
    assert.ok((await store.settledPosition()) >= position)
  },

  'get-event-finds-by-id': async ({ store }) => {
    const {
      events: [first, second],
    } = await store.append('a', [event('one'), event('two', { x: 1 })])
    assert.ok(first && second)
    same([await store.getEvent(first.id), await store.getEvent(second.id)], [first, second])
    same(await store.getEvent('11111111-1111-4111-8111-111111111111'), undefined)
  },

  'nonsense-is-refused': async ({ store }) => {
    await store.append('a', events(2))
    const nonsense: unknown[] = [
      { type: ['a'] },
      { typs: ['a'] },
      { fromVersion: 1 },
      { streamType: 'a' },
      { after: -1 },
      { after: 1.5 },
      { after: Number.NaN },
      { after: '1' },
      { until: -1 },
      { until: Number.POSITIVE_INFINITY },
      { until: 2 ** 53 },
      { limit: -1 },
      { limit: 1.5 },
      { limit: Number.NaN },
      { direction: 'up' },
      { settled: 'no' },
      { waitForSettledMs: -1 },
      { waitForSettledMs: Number.NaN },
    ]
    for (const options of nonsense) {
      await refused(() => store.readAll(options as ReadAllOptions).toArray(), 'VARVE_INVALID_ARGUMENT')
      await refused(
        () =>
          store
            .allTenants()
            .readAll(options as ReadAllOptions)
            .first(),
        'VARVE_INVALID_ARGUMENT',
      )
    }
  },
})
