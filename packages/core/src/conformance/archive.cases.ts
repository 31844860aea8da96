import assert from 'node:assert/strict'
import { at, events, goesThrough, holds, idsOf, refused, same, streamIds, upTo } from './helpers.js'
import { topic } from './topic.js'

export const archive = topic('archive', {
  'closes-a-stream-to-appends': async ({ store, another }) => {
    const batch = events(2)
    await store.append('a', batch)
    await store.archiveStream('a')
    for (const expectedVersion of ['any', 2, 'stream-exists'] as const) {
      await refused(store.append('a', events(1), { expectedVersion }), 'VARVE_STREAM_ARCHIVED', {
        streamId: 'a',
      })
    }
    await refused(store.appendMany([{ streamId: 'a', events: events(1) }]), 'VARVE_STREAM_ARCHIVED', {
      streamId: 'a',
    })
    await refused(
      store.transaction((tx) => tx.append('a', events(1))),
      'VARVE_STREAM_ARCHIVED',
      { streamId: 'a' },
    )
    await refused((await another()).append('a', events(1)), 'VARVE_STREAM_ARCHIVED', { streamId: 'a' })
    await holds(store, 'a', batch)
  },

  'keeps-the-events': async ({ store }) => {
    const { events: stored } = await store.append('a', events(2))
    await store.archiveStream('a')
    same(await store.readStream('a').toArray(), stored)
    same(await store.readAll().toArray(), stored)
    same(await store.getEvent(at(stored, 0).id), at(stored, 0))
    same(idsOf(await store.readAll({ streamIds: ['a'] }).toArray()), idsOf(stored))
    const report = await store.verify()
    same([report.ok, report.events, report.streams], [true, 2, 1])
  },

  'shows-in-get-stream-and-hides-from-list-streams': async ({ store }) => {
    await store.append('a', events(1))
    await store.append('b', events(1))
    await store.archiveStream('a')
    assert.ok((await store.getStream('a'))?.archivedAt instanceof Date)
    same(await streamIds(store), ['b'])
    same(await streamIds(store, { includeArchived: true }), ['a', 'b'])
  },

  'is-undone-by-restore': async ({ store }) => {
    const batch = events(3)
    await store.append('a', batch.slice(0, 1))
    await store.archiveStream('a')
    await store.restoreStream('a')
    const info = await store.getStream('a')
    assert.ok(info && !('archivedAt' in info))
    same(await streamIds(store), ['a'])
    same((await store.append('a', batch.slice(1), { expectedVersion: 1 })).version, 3)
    await holds(store, 'a', batch)
  },

  'twice-is-no-error': async ({ store }) => {
    await store.append('a', events(1))
    await store.archiveStream('a')
    const before = await store.getStream('a')
    await store.archiveStream('a')
    same((await store.getStream('a'))?.archivedAt, before?.archivedAt)
    await store.restoreStream('a')
    await store.restoreStream('a')
    same((await store.append('a', events(1))).version, 2)
  },

  'of-a-missing-stream-is-refused': async ({ store }) => {
    await refused(store.archiveStream('missing'), 'VARVE_STREAM_NOT_FOUND', { streamId: 'missing' })
    await refused(store.restoreStream('missing'), 'VARVE_STREAM_NOT_FOUND', { streamId: 'missing' })
    same(await store.getStream('missing'), undefined)
    same((await store.append('missing', events(1), { expectedVersion: 'no-stream' })).version, 1)
  },

  'waits-for-a-transaction-that-appended': async ({ store, hold }) => {
    await store.append('a', events(1))
    const appending = hold(store, (tx) => tx.append('a', events(1)))
    await appending.ready
    const archiving = store.archiveStream('a')
    await goesThrough(archiving, 50)
    await appending.commit()
    await archiving
    await refused(store.append('a', events(1)), 'VARVE_STREAM_ARCHIVED')
    same([await store.readStream('a').count(), (await store.getStream('a'))?.version], [2, 2])
  },

  'racing-with-the-first-append-works-or-says-so': async ({ store }) => {
    for (const round of upTo(12)) {
      const streamId = `a-${round}`
      const [appended, archived] = await Promise.allSettled([
        store.append(streamId, events(1)),
        store.archiveStream(streamId),
      ])
      if (appended.status === 'rejected') throw appended.reason
      const info = await store.getStream(streamId)
      same(
        info?.archivedAt !== undefined,
        archived.status === 'fulfilled',
        `round ${round}: archiveStream ${archived.status}`,
      )
    }
  },

  'racing-with-appends-loses-none': async ({ store, another }) => {
    const other = await another()
    await store.append('a', events(1))
    const appends = Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).append('a', events(1)))
    const outcomes = await Promise.allSettled([
      ...appends.slice(0, 4),
      store.archiveStream('a'),
      ...appends.slice(4),
    ])
    const stored = outcomes.filter(({ status }, index) => index !== 4 && status === 'fulfilled').length
    same(await store.readStream('a').count(), stored + 1)
    await refused(other.append('a', events(1)), 'VARVE_STREAM_ARCHIVED')
    for (const [index, attempt] of appends.entries()) {
      if (outcomes[index < 4 ? index : index + 1]?.status === 'rejected')
        await refused(attempt, 'VARVE_STREAM_ARCHIVED')
    }
  },
})
