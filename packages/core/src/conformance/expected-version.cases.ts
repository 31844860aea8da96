import assert from 'node:assert/strict'
import type { ExpectedVersion } from '../expected-version.js'
import { event, events, holds, refused, same, upTo } from './helpers.js'
import { topic, type Case } from './topic.js'

const misses = async (
  { store }: Parameters<Case>[0],
  stored: number,
  expectedVersion: ExpectedVersion,
): Promise<void> => {
  const batch = events(stored)
  if (stored > 0) await store.append('a', batch)
  const { tenantId } = store
  await refused(store.append('a', events(1), { expectedVersion }), 'VARVE_CONCURRENCY', {
    tenantId,
    streamId: 'a',
    expectedVersion,
    actualVersion: stored,
  })
  await holds(store, 'a', batch)
  if (stored === 0) same(await store.getStream('a'), undefined)
  const more = events(1)
  same((await store.append('a', more)).version, stored + 1)
  await holds(store, 'a', [...batch, ...more])
}

const holdsFor = async (
  { store }: Parameters<Case>[0],
  stored: number,
  expectedVersion: ExpectedVersion,
): Promise<void> => {
  if (stored > 0) await store.append('a', events(stored))
  same((await store.append('a', events(2), { expectedVersion })).version, stored + 2)
}

export const expectedVersions = topic('expected-version', {
  'missing-stream-is-at-0': (t) => holdsFor(t, 0, 0),
  'missing-stream-is-no-stream': (t) => holdsFor(t, 0, 'no-stream'),
  'missing-stream-is-any': (t) => holdsFor(t, 0, 'any'),
  'missing-stream-does-not-exist': (t) => misses(t, 0, 'stream-exists'),
  'missing-stream-is-not-at-1': (t) => misses(t, 0, 1),
  'missing-stream-is-not-far-ahead': (t) => misses(t, 0, 5_000_000_000),

  'existing-stream-is-at-its-version': (t) => holdsFor(t, 3, 3),
  'existing-stream-exists': (t) => holdsFor(t, 3, 'stream-exists'),
  'existing-stream-is-any': (t) => holdsFor(t, 3, 'any'),
  'existing-stream-is-not-no-stream': (t) => misses(t, 3, 'no-stream'),
  'existing-stream-is-not-at-0': (t) => misses(t, 3, 0),
  'existing-stream-is-not-one-behind': (t) => misses(t, 3, 2),
  'existing-stream-is-not-one-ahead': (t) => misses(t, 3, 4),
  'existing-stream-is-not-far-ahead': (t) => misses(t, 3, 9_000_000_000_000_000),

  'nonsense-is-refused': async ({ store }) => {
    const nonsense = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', 'exact', null, {}]
    for (const value of nonsense) {
      const expectedVersion = value as ExpectedVersion
      await refused(store.append('a', events(1), { expectedVersion }), 'VARVE_INVALID_ARGUMENT')
      await refused(
        store.appendMany([{ streamId: 'a', events: events(1), expectedVersion }]),
        'VARVE_INVALID_ARGUMENT',
      )
    }
    await holds(store, 'a', [])
  },

  'tells-the-version-of-now-not-of-then': async ({ store, another }) => {
    const other = await another()
    await store.append('a', events(2))
    await other.append('a', events(5))
    await refused(store.append('a', events(1), { expectedVersion: 2 }), 'VARVE_CONCURRENCY', {
      actualVersion: 7,
    })
  },

  'a-miss-in-a-storm-names-the-right-stream': async ({ store }) => {
    await Promise.all(upTo(8).map((n) => store.append(`s-${n}`, events(n))))
    const attempts = upTo(8).map((n) =>
      refused(store.append(`s-${n}`, events(1), { expectedVersion: 100 }), 'VARVE_CONCURRENCY', {
        streamId: `s-${n}`,
        actualVersion: n,
      }),
    )
    await Promise.all(attempts)
    same(await store.readAll().count(), 36)
  },

  'one-of-two-unawaited-appends-with-the-same-version-wins': async ({ store }) => {
    const [first, second] = await Promise.allSettled([
      store.append('a', [event('first')], { expectedVersion: 0 }),
      store.append('a', [event('second')], { expectedVersion: 0 }),
    ])
    same([first.status, second.status], ['fulfilled', 'rejected'])
    assert.equal((await store.readStream('a').first())?.type, 'first')
    same(await store.readStream('a').count(), 1)
  },
})
