import assert from 'node:assert/strict'
import { event, events, holds, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const streams = topic('streams', {
  'a-type-is-stream-when-not-given': async ({ store }) => {
    const {
      events: [recorded],
    } = await store.append('a', events(1))
    same([recorded?.streamType, (await store.getStream('a'))?.streamType], ['stream', 'stream'])
    same((await store.append('a', events(1), { streamType: 'stream' })).version, 2)
    await refused(store.append('a', events(1), { streamType: 'account' }), 'VARVE_INVALID_ARGUMENT')
    // several events go another way than one on some engines
    await refused(store.append('a', events(2), { streamType: 'account' }), 'VARVE_INVALID_ARGUMENT')
    await refused(
      store.append('a', events(2), { streamType: 'account', expectedVersion: 2 }),
      'VARVE_INVALID_ARGUMENT',
    )
    same((await store.getStream('a'))?.version, 2)
  },

  'a-type-is-kept': async ({ store }) => {
    await store.append('a', events(1), { streamType: 'account' })
    const {
      events: [recorded],
    } = await store.append('a', events(1))
    same(recorded?.streamType, 'account')
    same((await store.append('a', events(1), { streamType: 'account' })).version, 3)
    const types = (await store.readAll().toArray()).map(({ streamType }) => streamType)
    same(types, ['account', 'account', 'account'])
    same((await store.getStream('a'))?.streamType, 'account')
  },

  'another-type-later-is-refused': async ({ store }) => {
    const batch = events(2)
    await store.append('a', batch, { streamType: 'account' })
    for (const streamType of ['order', 'stream', 'Account', 'account ']) {
      await refused(store.append('a', events(1), { streamType }), 'VARVE_INVALID_ARGUMENT')
      await refused(
        store.append('a', events(1), { streamType, expectedVersion: 2 }),
        'VARVE_INVALID_ARGUMENT',
      )
      await refused(
        store.appendMany([{ streamId: 'a', events: events(1), streamType }]),
        'VARVE_INVALID_ARGUMENT',
      )
      await refused(
        store.transaction((tx) => tx.append('a', events(1), { streamType })),
        'VARVE_INVALID_ARGUMENT',
      )
    }
    await holds(store, 'a', batch)
  },

  'of-racing-types-one-wins': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(5)) {
      const streamId = `a-${round}`
      const attempts = ['x', 'y', 'x', 'y'].map((streamType, index) =>
        (index < 2 ? store : other).append(streamId, [event(streamType)], { streamType }),
      )
      const outcomes = await Promise.allSettled(attempts)
      const stored = await store.readStream(streamId).toArray()
      const { streamType } = (await store.getStream(streamId)) ?? assert.fail('no stream')
      for (const one of stored) same([one.type, one.streamType], [streamType, streamType])
      same([stored.length, outcomes.filter(({ status }) => status === 'fulfilled').length], [2, 2])
      for (const [index, { status }] of outcomes.entries()) {
        if (status === 'rejected') await refused(attempts[index] ?? assert.fail(), 'VARVE_INVALID_ARGUMENT')
      }
    }
  },

  'a-failed-first-append-fixes-no-type': async ({ store }) => {
    await refused(store.append('a', events(1), { streamType: 'x', expectedVersion: 3 }), 'VARVE_CONCURRENCY')
    const writes = [
      { streamId: 'a', events: events(1), streamType: 'x' },
      { streamId: 'b', events: events(1), expectedVersion: 1 },
    ]
    await refused(store.appendMany(writes), 'VARVE_CONCURRENCY')
    await store.append('a', events(1), { streamType: 'y' })
    same((await store.getStream('a'))?.streamType, 'y')
  },

  'get-stream-tells-head-and-times': async ({ store }) => {
    same(await store.getStream('a'), undefined)
    await store.append('a', events(2))
    const before = await store.getStream('a')
    await store.append('a', events(3))
    const after = await store.getStream('a')
    assert.ok(before && after)
    same([before.version, after.version], [2, 5])
    same([after.tenantId, after.streamId, after.createdAt], [store.tenantId, 'a', before.createdAt])
    assert.ok(after.updatedAt >= before.updatedAt && before.updatedAt >= before.createdAt)
  },

  'get-stream-after-append-many': async ({ store }) => {
    await store.appendMany([
      { streamId: 'a', events: events(2) },
      { streamId: 'b', events: events(1), streamType: 'x' },
    ])
    same([(await store.getStream('a'))?.version, (await store.getStream('b'))?.version], [2, 1])
    same((await store.getStream('b'))?.streamType, 'x')
  },
})
