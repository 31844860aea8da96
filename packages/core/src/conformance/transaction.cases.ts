import assert from 'node:assert/strict'
import type { StoreTransaction, TransactionOptions } from '../event-store.js'
import { ascending, event, events, holds, idsOf, refused, same } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('thrown by the work')

/** The error of the promise, which has to fail. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome.status === 'rejected' ? outcome.reason : assert.fail('it resolved')
}

export const transaction = topic('transaction', {
  'commits-and-gives-the-value': async ({ store }) => {
    const [first, second] = [events(2), events(1)]
    const value = await store.transaction(async (tx) => {
      same(tx.tenantId, store.tenantId)
      const one = await tx.append('a', first, { expectedVersion: 'no-stream', streamType: 'account' })
      const two = await tx.append('b', second)
      same([one.version, two.version, one.duplicate], [2, 1, false])
      return [one, two]
    })
    ascending(value.flatMap((result) => result.events.map(({ position }) => position)))
    same(
      await store.readAll().toArray(),
      value.flatMap((result) => result.events),
    )
    await holds(store, 'a', first)
    same((await store.getStream('a'))?.streamType, 'account')
  },

  'without-appends-is-fine': async ({ store }) => {
    same(await store.transaction(async () => 'nothing'), 'nothing')
    same(await store.transaction(async () => undefined), undefined)
    same((await store.append('a', events(1))).version, 1)
  },

  'rolls-back-on-an-error-and-hands-it-on': async ({ store }) => {
    await store.append('old', events(1))
    const thrown = [failure, new TypeError('x'), 'a string', undefined, null, { code: '40001' }]
    for (const value of thrown) {
      const attempt = store.transaction(async (tx) => {
        await tx.append('old', events(1))
        await tx.append('new', events(1))
        throw value
      })
      assert.ok(Object.is(await failureOf(attempt), value), 'the very value that was thrown')
    }
    same(
      [await store.readStream('old').count(), await store.getStream('new'), await store.readAll().count()],
      [1, undefined, 1],
    )
    same((await store.append('old', events(1), { expectedVersion: 1 })).version, 2)
    same((await store.verify()).problems, [])
  },

  'is-not-seen-before-it-commits': async ({ store, another, hold }) => {
    const other = await another()
    const held = hold(store, (tx) => tx.append('a', events(2)))
    const { events: appended } = await held.ready
    const [one] = appended
    assert.ok(one)
    same(await other.readStream('a').toArray(), [])
    same(await other.getEvent(one.id), undefined)
    same(await other.getStream('a'), undefined)
    same(await other.readAll({ settled: false }).count(), 0)
    same(await other.readAll({ direction: 'backwards' }).count(), 0)
    await held.commit()
    same(await other.readStream('a').toArray(), appended)
    same(await other.readAll().toArray(), appended)
  },

  'reads-its-own-writes': async ({ store }) => {
    await store.append('a', events(1))
    await store.transaction(async (tx) => {
      same(await tx.readStream('a').count(), 1)
      const { events: own } = await tx.append('a', events(2))
      same(await tx.readStream('a', { fromVersion: 2 }).toArray(), own)
      same(await tx.readStream('a', { direction: 'backwards', limit: 1 }).toArray(), own.slice(1))
      same((await tx.getStream('a'))?.version, 3)
      await tx.append('new', events(1))
      same([await tx.readStream('new').count(), (await tx.getStream('new'))?.version], [1, 1])
      same(await tx.getStream('none'), undefined)
    })
  },

  'checks-expected-versions-against-its-own-writes': async ({ store }) => {
    await store.transaction(async (tx) => {
      await tx.append('a', events(2), { expectedVersion: 0 })
      await refused(tx.append('a', events(1), { expectedVersion: 0 }), 'VARVE_CONCURRENCY', {
        actualVersion: 2,
      })
      await tx.append('a', events(1), { expectedVersion: 2 })
      await tx.append('a', events(1), { expectedVersion: 'stream-exists' })
    })
    same((await store.getStream('a'))?.version, 4)
  },

  'appends-many-and-checks': async ({ store }) => {
    await store.append('checked', events(2))
    const results = await store.transaction((tx) =>
      tx.appendMany([
        { streamId: 'z', events: events(1) },
        { streamId: 'checked', events: [], expectedVersion: 2 },
        { streamId: 'a', events: events(2) },
        { streamId: 'missing', events: [], expectedVersion: 'no-stream' },
      ]),
    )
    same(
      results.map(({ streamId, version }) => [streamId, version]),
      [
        ['z', 1],
        ['checked', 2],
        ['a', 2],
        ['missing', 0],
      ],
    )
    same(
      idsOf(await store.readAll({ streamIds: ['z', 'a'] }).toArray()),
      idsOf(results.flatMap((result) => result.events)),
    )
    same(await store.getStream('missing'), undefined)
  },

  'stays-usable-after-a-failed-append': async ({ store }) => {
    const [stored, kept] = [events(1), events(3)]
    await store.append('a', stored)
    await store.append('archived', events(1))
    await store.archiveStream('archived')
    await store.transaction(async (tx) => {
      await tx.append('b', kept.slice(0, 1))
      await refused(tx.append('a', events(1), { expectedVersion: 7 }), 'VARVE_CONCURRENCY', {
        actualVersion: 1,
      })
      await tx.append('b', kept.slice(1, 2))
      await refused(tx.append('c', stored), 'VARVE_DUPLICATE_EVENT')
      await refused(tx.append('c', [...events(1), ...stored]), 'VARVE_DUPLICATE_EVENT')
      await refused(tx.append('archived', events(1)), 'VARVE_STREAM_ARCHIVED')
      await refused(tx.append('c', [event('')]), 'VARVE_INVALID_EVENT')
      await refused(tx.append('a', events(1), { streamType: 'x' }), 'VARVE_INVALID_ARGUMENT')
      same(await tx.readStream('b').count(), 2)
      await tx.append('b', kept.slice(2), { expectedVersion: 2 })
    })
    await holds(store, 'b', kept)
    await holds(store, 'a', stored)
    same(await store.getStream('c'), undefined)
    same((await store.verify()).problems, [])
  },

  'keeps-nothing-of-a-failed-append-many': async ({ store }) => {
    const kept = events(2)
    await store.transaction(async (tx) => {
      await tx.append('a', kept.slice(0, 1))
      const attempt = tx.appendMany([
        { streamId: 'new', events: events(2) },
        { streamId: 'a', events: events(1), expectedVersion: 1 },
        { streamId: 'z', events: events(1), expectedVersion: 1 },
      ])
      await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'z', actualVersion: 0 })
      same([await tx.readStream('new').count(), await tx.readStream('a').count()], [0, 1])
      await tx.append('a', kept.slice(1), { expectedVersion: 1 })
    })
    await holds(store, 'a', kept)
    same([await store.getStream('new'), await store.getStream('z')], [undefined, undefined])
  },

  'ends-and-then-refuses': async ({ store }) => {
    let leaked: StoreTransaction | undefined
    await store.transaction(async (tx) => {
      leaked = tx
      await tx.append('a', events(1))
    })
    const { append, readStream } = {
      append: () => leaked?.append('a', events(1)),
      readStream: () => leaked?.readStream('a').toArray(),
    }
    for (const call of [append, readStream]) {
      const [outcome] = await Promise.allSettled([(async () => call())()])
      same(outcome.status, 'rejected')
    }
    same(await store.readStream('a').count(), 1)
  },

  'nonsense-is-refused': async ({ store }) => {
    const never = async (): Promise<void> => assert.fail('the work ran')
    for (const options of [
      { retries: -1 },
      { retries: 1.5 },
      { retries: Number.NaN },
      { retry: 3 },
    ] as TransactionOptions[]) {
      await refused(() => store.transaction(never, options), 'VARVE_INVALID_ARGUMENT')
    }
    await store.transaction(async (tx) => {
      await refused(tx.append('a', events(1), { version: 1 } as object), 'VARVE_INVALID_ARGUMENT')
      await refused(() => tx.readStream('a', { limit: -1 }).toArray(), 'VARVE_INVALID_ARGUMENT')
      await refused(tx.append('a', []), 'VARVE_INVALID_EVENT')
    })
  },
})
