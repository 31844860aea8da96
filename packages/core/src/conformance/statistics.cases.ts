import assert from 'node:assert/strict'
import { at, event, events, same } from './helpers.js'
import { topic } from './topic.js'

export const statistics = topic('statistics', {
  'of-an-empty-log': async ({ store }) => {
    same(await store.statistics(), {
      events: 0,
      streams: 0,
      lastPosition: 0,
      eventTypes: [],
      streamTypes: [],
      bytes: 0,
    })
  },

  'count-events-and-streams': async ({ store }) => {
    const results = [
      await store.append('a', [event('x', 1), event('y', 'é')], { streamType: 'k' }),
      await store.append('b', [event('x', {})], { streamType: 'k' }),
      await store.append('c', [event('x', [1, 2])], { streamType: 'l' }),
    ]
    await store.archiveStream('b')
    const all = results.flatMap((result) => result.events)
    const found = await store.statistics()
    same([found.events, found.streams, found.lastPosition], [4, 3, at(all, -1).position])
    same(
      found.bytes,
      all.reduce((sum, one) => sum + one.sizeBytes, 0),
    )
    same(Object.fromEntries(found.eventTypes.map(({ eventType, count }) => [eventType, count])), {
      x: 3,
      y: 1,
    })
    for (const { firstAt, lastAt } of found.eventTypes)
      assert.ok(firstAt instanceof Date && lastAt >= firstAt)
    const byType = new Map(found.streamTypes.map(({ streamType, ...rest }) => [streamType, rest]))
    same(byType.get('k'), { streams: 2, events: 3, averageVersion: 1.5, maxVersion: 2 })
    same(byType.get('l'), { streams: 1, events: 1, averageVersion: 1, maxVersion: 1 })
    same(byType.size, 2)
  },

  // the mean of 9 and 1 is 5; that of the events' versions would be 4.6
  'average-versions-over-streams': async ({ store }) => {
    await store.append('a', events(9))
    await store.append('b', events(1))
    same((await store.statistics()).streamTypes, [
      { streamType: 'stream', streams: 2, events: 10, averageVersion: 5, maxVersion: 9 },
    ])
  },

  'leave-out-what-rolled-back': async ({ store }) => {
    await store.append('a', events(2))
    const failure = new Error('rolled back')
    const attempt = store.transaction(async (tx) => {
      await tx.append('a', events(2))
      await tx.append('b', [event('gone')])
      throw failure
    })
    await assert.rejects(attempt, (error) => error === failure)
    const found = await store.statistics()
    same(
      [found.events, found.streams, found.eventTypes.map(({ eventType }) => eventType)],
      [2, 1, ['tested']],
    )
  },

  'health-is-ok': async ({ store, opened }) => {
    for (const { status, checks } of [await store.health(), await opened.store.health()]) {
      same([status, checks.length > 0], ['ok', true])
      for (const check of checks)
        same([check.status, check.name.length > 0, typeof check.detail], ['ok', true, 'string'])
    }
  },
})
