import assert from 'node:assert/strict'
import type { EventStore } from '../event-store.js'
import type { Snapshot } from '../snapshot/snapshot-store.js'
import { at, events, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

const versionsOf = (list: readonly Snapshot[]): number[] => list.map(({ version }) => version)

async function stream(store: EventStore, streamId: string, length: number): Promise<void> {
  await store.append(streamId, events(length), { streamType: 'counted' })
}

export const snapshots = topic('snapshots', {
  'what-is-saved-comes-back-deep-equal': async ({ store }) => {
    await stream(store, 'a', 3)
    const state = {
      text: 'Grüße 🐘 "\\',
      list: [1, null, true, { deep: [] }],
      big: 1e21,
      small: 5e-324,
      '': 'empty',
    }
    same(
      await store.snapshots.save('a', { version: 2, state, snapshotType: 'total', schemaVersion: 7 }),
      true,
    )
    const found = await store.snapshots.latest('a', { snapshotType: 'total' })
    assert.ok(found?.createdAt instanceof Date && Math.abs(found.createdAt.getTime() - Date.now()) < 120_000)
    const { createdAt: _, ...rest } = found
    const { tenantId } = store
    same(rest, { tenantId, streamId: 'a', snapshotType: 'total', version: 2, schemaVersion: 7, state })
    for (const plain of [null, 0, '', [], false]) {
      await store.snapshots.save('a', { version: 3, state: plain })
      same((await store.snapshots.latest('a'))?.state, plain)
    }
  },

  'latest-and-at-or-before': async ({ store }) => {
    await stream(store, 'a', 30)
    same(await store.snapshots.latest('a'), undefined)
    for (const version of [10, 20, 30]) await store.snapshots.save('a', { version, state: { version } })
    same((await store.snapshots.latest('a'))?.version, 30)
    const found = async (version: number) => (await store.snapshots.atOrBefore('a', version))?.version
    same(
      [await found(9), await found(10), await found(19), await found(20), await found(1000), await found(0)],
      [undefined, 10, 10, 20, 30, undefined],
    )
    same(versionsOf(await store.snapshots.list('a')), [30, 20, 10])
    same(versionsOf(await store.snapshots.list('a', { limit: 2 })), [30, 20])
    same(await store.snapshots.list('a', { limit: 0 }), [])
    same(await store.snapshots.list('b'), [])
  },

  'types-and-schema-versions-are-apart': async ({ store }) => {
    await stream(store, 'a', 9)
    await store.snapshots.save('a', { version: 3, state: 'three', schemaVersion: 1 })
    await store.snapshots.save('a', { version: 5, state: 'five', schemaVersion: 2 })
    await store.snapshots.save('a', { version: 9, state: 'other', snapshotType: 'other' })
    same((await store.snapshots.latest('a'))?.state, 'five')
    same((await store.snapshots.latest('a', { schemaVersion: 1 }))?.state, 'three')
    same(await store.snapshots.latest('a', { schemaVersion: 3 }), undefined)
    same((await store.snapshots.latest('a', { snapshotType: 'other' }))?.state, 'other')
    same(await store.snapshots.latest('a', { snapshotType: 'Other' }), undefined)
    same(versionsOf(await store.snapshots.list('a', { snapshotType: 'state' })), [5, 3])
    same(versionsOf(await store.snapshots.list('a')), [9, 5, 3])
  },

  'an-older-one-never-goes-over-a-newer': async ({ store }) => {
    await stream(store, 'a', 20)
    same(await store.snapshots.save('a', { version: 10, state: 'ten', schemaVersion: 2 }), true)
    same(await store.snapshots.save('a', { version: 9, state: 'nine', schemaVersion: 2 }), false)
    same(await store.snapshots.save('a', { version: 9, state: 'nine', schemaVersion: 1 }), false)
    same(await store.snapshots.save('a', { version: 10, state: 'old ten', schemaVersion: 1 }), false)
    same(
      (await store.snapshots.list('a')).map(({ state }) => state),
      ['ten'],
    )
    same(await store.snapshots.save('a', { version: 10, state: 'ten again', schemaVersion: 2 }), true)
    same(await store.snapshots.save('a', { version: 8, state: 'new shape', schemaVersion: 3 }), true)
    same(await store.snapshots.save('a', { version: 10, state: 'new ten', schemaVersion: 3 }), true)
    same(
      (await store.snapshots.list('a')).map(({ state }) => state),
      ['new ten', 'new shape'],
    )
  },

  'of-many-at-once-the-newest-stays': async ({ store, another }) => {
    const other = await another()
    await stream(store, 'a', 40)
    await Promise.all(
      upTo(40).map((version) =>
        (version % 2 === 0 ? store : other).snapshots.save('a', { version, state: version }, { keep: 3 }),
      ),
    )
    same((await store.snapshots.latest('a'))?.state, 40)
  },

  'keep-leaves-the-newest': async ({ store }) => {
    await stream(store, 'a', 12)
    await stream(store, 'b', 12)
    for (const version of upTo(12)) {
      await store.snapshots.save('a', { version, state: version }, { keep: 5 })
      await store.snapshots.save('a', { version, state: version, snapshotType: 'other' })
      await store.snapshots.save('b', { version, state: version }, { keep: 1 })
    }
    same(versionsOf(await store.snapshots.list('a', { snapshotType: 'state' })), [12, 11, 10, 9, 8])
    same(versionsOf(await store.snapshots.list('b')), [12])
    same(await store.snapshots.count({ streamId: 'a', snapshotType: 'other' }), 12)
  },

  'prune-count-and-delete': async ({ store, opened }) => {
    const outside = opened.store.forTenant(`${store.tenantId}-beside`)
    for (const each of [store, outside]) {
      for (const streamId of ['a', 'b']) {
        await stream(each, streamId, 8)
        for (const version of upTo(8)) await each.snapshots.save(streamId, { version, state: version })
      }
    }
    same([await store.snapshots.count(), await store.snapshots.count({ streamId: 'a' })], [16, 8])
    same(await store.snapshots.prune({ streamId: 'a', keep: 6 }), 2)
    same(await store.snapshots.prune({ olderThan: new Date(0), keep: 0 }), 0)
    same(await store.snapshots.prune({ snapshotType: 'other', keep: 0 }), 0)
    same(await store.snapshots.prune(), 4)
    same(versionsOf(await store.snapshots.list('b')), [8, 7, 6, 5, 4])
    same(await store.snapshots.delete('a', { version: 7 }), 1)
    same(await store.snapshots.delete('a', { snapshotType: 'other' }), 0)
    same(await store.snapshots.delete('a'), 4)
    same(await store.snapshots.delete('a'), 0)
    same(await store.snapshots.prune({ olderThan: new Date(Date.now() + 3_600_000), keep: 0 }), 5)
    same([await store.snapshots.count(), await outside.snapshots.count()], [0, 16])
  },

  'tenants-do-not-see-each-others': async ({ store, opened }) => {
    const outside = opened.store.forTenant(`${store.tenantId}-outside`)
    await stream(store, 'a', 3)
    await stream(outside, 'a', 3)
    await store.snapshots.save('a', { version: 3, state: 'mine' })
    same(await outside.snapshots.latest('a'), undefined)
    same([await outside.snapshots.list('a'), await outside.snapshots.count()], [[], 0])
    same(await outside.snapshots.delete('a'), 0)
    same((await store.snapshots.latest('a'))?.state, 'mine')
    same((await outside.snapshots.coverage({ moreThan: 0 })).length, 1)
  },

  'what-cannot-be-a-snapshot-is-refused': async ({ store }) => {
    await stream(store, 'a', 3)
    const argument = 'VARVE_INVALID_ARGUMENT'
    for (const version of [0, -1, 1.5, Number.NaN, 4])
      await refused(store.snapshots.save('a', { version, state: {} }), argument)
    await refused(store.snapshots.save('missing', { version: 1, state: {} }), 'VARVE_STREAM_NOT_FOUND')
    const when = { at: new Date() as unknown as string }
    await refused(store.snapshots.save('a', { version: 1, state: when }), argument, {
      argument: 'snapshot.state.at',
    })
    await refused(store.snapshots.save('a', { version: 1, state: {}, schemaVersion: 0 }), argument)
    await refused(store.snapshots.save('a', { version: 1, state: {}, snapshotType: '' }), argument)
    await refused(store.snapshots.save('a', { version: 1, state: {} }, { keep: 0 }), argument)
    await refused(store.snapshots.latest('a', { schemaVersions: 1 } as object), argument)
    await refused(store.snapshots.atOrBefore('a', -1), argument)
    await refused(store.snapshots.prune({ keep: -1 }), argument)
    same(await store.snapshots.count(), 0)
  },

  'a-large-state-is-bounded': async ({ fresh }) => {
    const { store } = await fresh({ maxAppendBytes: 20_000, maxEventBytes: 10_000 })
    await stream(store, 'a', 1)
    const fits = { text: 'x'.repeat(19_000) }
    await store.snapshots.save('a', { version: 1, state: fits })
    same((await store.snapshots.latest('a'))?.state, fits)
    const tooLarge = { text: 'ä'.repeat(10_001) }
    await refused(store.snapshots.save('a', { version: 1, state: tooLarge }), 'VARVE_INVALID_ARGUMENT')
  },

  'coverage-tells-what-is-long-to-load': async ({ store }) => {
    for (const [streamId, length] of [
      ['a', 12],
      ['b', 30],
      ['c', 25],
      ['d', 40],
      ['e', 60],
    ] as const) {
      await stream(store, streamId, length)
    }
    await store.append('f', events(50), { streamType: 'other' })
    await store.snapshots.save('b', { version: 10, state: 0 })
    await store.snapshots.save('b', { version: 20, state: 0 })
    await store.snapshots.save('d', { version: 15, state: 0 })
    await store.snapshots.save('f', { version: 50, state: 0, snapshotType: 'other' })
    await store.archiveStream('e')
    const found = await store.snapshots.coverage({ moreThan: 10 })
    same(
      found.map(({ streamId, eventsSinceSnapshot }) => [streamId, eventsSinceSnapshot]),
      [
        ['f', 50],
        ['c', 25],
        ['d', 25],
        ['a', 12],
      ],
    )
    same(at(found, 2), {
      streamId: 'd',
      streamType: 'counted',
      version: 40,
      snapshotVersion: 15,
      eventsSinceSnapshot: 25,
    })
    same((await store.snapshots.coverage({ moreThan: 10, streamTypes: ['other'] })).length, 1)
    same(await store.snapshots.coverage({ moreThan: 10, streamTypes: [] }), [])
    same(
      (await store.snapshots.coverage({ moreThan: 9, limit: 2 })).map(({ streamId }) => streamId),
      ['f', 'c'],
    )
    same(
      (await store.snapshots.coverage({ moreThan: 0, snapshotType: 'other' })).map(
        ({ streamId }) => streamId,
      ),
      ['d', 'b', 'c', 'a'],
    )
    same(await store.snapshots.coverage(), [])
  },

  'in-a-transaction-they-commit-and-roll-back-with-it': async ({ store }) => {
    const failure = new Error('rolled back by the case')
    await store.transaction(async (tx) => {
      await tx.append('a', events(3))
      same(await tx.snapshots.save('a', { version: 3, state: 'kept' }), true)
      same((await tx.snapshots.latest('a'))?.state, 'kept')
      // a failure leaves the transaction usable
      await refused(tx.snapshots.save('a', { version: 4, state: 'beyond' }), 'VARVE_INVALID_ARGUMENT')
      await tx.append('a', events(1))
    })
    const work = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await tx.snapshots.save('a', { version: 5, state: 'undone' })
      throw failure
    })
    await assert.rejects(work, (error) => error === failure)
    same(
      (await store.snapshots.list('a')).map(({ state }) => state),
      ['kept'],
    )
    same((await store.getStream('a'))?.version, 4)
  },

  'in-a-transaction-getEvent-sees-what-was-appended': async ({ store }) => {
    const [event] = events(1)
    assert.ok(event)
    await store.transaction(async (tx) => {
      same(await tx.getEvent(event.id), undefined)
      await tx.append('a', [event])
      same((await tx.getEvent(event.id.toUpperCase()))?.id, event.id)
      await refused(tx.getEvent('no id'), 'VARVE_INVALID_ARGUMENT')
    })
  },

  'one-beyond-the-end-of-its-stream-is-never-given': async ({ store, opened }) => {
    await stream(store, 'a', 5)
    await store.snapshots.save('a', { version: 2, state: 'two' })
    await store.snapshots.save('a', { version: 5, state: 'five' })
    const tenant = `tenant_id = '${store.tenantId}'`
    await opened.tamper(`delete from ${opened.table('events')} where version > 3 and ${tenant}`)
    await opened.sql(
      `update ${opened.table('event_streams')} set version = 3 where stream_id = 'a' and ${tenant}`,
    )
    same((await store.snapshots.latest('a'))?.state, 'two')
    same(versionsOf(await store.snapshots.list('a')), [2])
    same(await store.snapshots.delete('a'), 2)
  },
})
