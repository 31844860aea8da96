import assert from 'node:assert/strict'
import { createRepository, type RepositoryOptions } from '../aggregate/repository.js'
import type { SnapshotFailure } from '../aggregate/snapshot-policy.js'
import type { EventStore } from '../event-store.js'
import { accountAggregate, deposits } from './account.js'
import { refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

/** A repository that counts the events it folds and gathers the failures of its snapshots. */
function counting(store: EventStore, snapshots: RepositoryOptions['snapshots'], schemaVersion = 1) {
  let folded = 0
  const failures: SnapshotFailure[] = []
  const aggregate = accountAggregate({ schemaVersion, onFold: () => (folded += 1) })
  const policy =
    typeof snapshots === 'object'
      ? { onError: (one: SnapshotFailure) => failures.push(one), ...snapshots }
      : snapshots
  const repository = createRepository(store, aggregate, { snapshots: policy })
  return {
    ...repository,
    failures,
    load: repository.load.bind(repository),
    snapshot: repository.snapshot.bind(repository),
    add: (streamId: string, count = 1) =>
      repository.handle(streamId, () =>
        upTo(count).map(() => ({ type: 'money.deposited', data: { cents: 1 } })),
      ),
    /** How many events a load has to fold. */
    async costOf(streamId: string): Promise<number> {
      folded = 0
      await repository.load(streamId)
      return folded
    },
  }
}

const versions = async (store: EventStore, streamId: string): Promise<number[]> =>
  (await store.snapshots.list(streamId)).map(({ version }) => version)

export const aggregateSnapshots = topic('aggregate-snapshots', {
  'by-count-as-a-gap-also-when-a-batch-jumps-the-multiple': async ({ store }) => {
    const accounts = counting(store, { every: 10 })
    await accounts.add('a', 9)
    same(await versions(store, 'a'), [])
    await accounts.add('a', 4) // 13: over the tenth, not on it
    same(await versions(store, 'a'), [13])
    await accounts.add('a', 7) // 20: a multiple, but only seven later
    same(await versions(store, 'a'), [13])
    await accounts.add('a', 25)
    same(await versions(store, 'a'), [45, 13])
    same([await accounts.costOf('a'), (await accounts.load('a')).state.cents], [0, 45])
    await accounts.add('a', 2)
    same(
      [await accounts.costOf('a'), (await accounts.load('a')).state],
      [2, { owner: '', cents: 47, events: 47 }],
    )
  },

  'five-are-kept-or-as-many-as-wanted': async ({ store }) => {
    const five = counting(store, { every: 2 })
    const one = counting(store, { every: 2, keep: 1 })
    for (const _ of upTo(8)) {
      await five.add('a', 2)
      await one.add('b', 2)
    }
    same(await versions(store, 'a'), [16, 14, 12, 10, 8])
    same(await versions(store, 'b'), [16])
  },

  'a-load-that-had-to-replay-takes-one-too': async ({ store }) => {
    const accounts = counting(store, { every: 10 })
    await deposits(store, 'a', 25)
    same([await accounts.costOf('a'), await accounts.costOf('a')], [25, 0])
    same(await versions(store, 'a'), [25])
  },

  'not-in-short-streams-and-not-by-count': async ({ store }) => {
    const long = counting(store, { every: 5, minEvents: 12 })
    await long.add('a', 11)
    same(await versions(store, 'a'), [])
    await long.add('a')
    same(await versions(store, 'a'), [12])
    const onDemand = counting(store, { every: false })
    await onDemand.add('b', 40)
    same(await versions(store, 'b'), [])
    same([await onDemand.snapshot('b'), await onDemand.costOf('b')], [true, 0])
    const none = counting(store, undefined)
    await none.add('c', 200)
    same([await versions(store, 'c'), await none.costOf('c')], [[], 200])
    await refused(() => none.snapshot('c'), 'VARVE_INVALID_ARGUMENT')
  },

  'by-the-stores-preset': async ({ store }) => {
    const accounts = counting(store, true)
    await accounts.add('a', store.snapshots.every - 1)
    same(await versions(store, 'a'), [])
    await accounts.add('a')
    same(await versions(store, 'a'), [store.snapshots.every])
  },

  'by-age': async ({ store, opened }) => {
    const accounts = counting(store, { every: false, maxAgeMs: 3_600_000 })
    await accounts.add('a', 3)
    same(await versions(store, 'a'), [])
    await accounts.snapshot('a')
    await accounts.add('a')
    same(await versions(store, 'a'), [3])
    // as if it had been taken long ago, whatever form times have in this database
    const { snapshots, events } = { snapshots: opened.table('snapshots'), events: opened.table('events') }
    const tenant = `tenant_id = '${store.tenantId}'`
    await store.append('long ago', [{ type: 'x', data: {}, occurredAt: new Date(1e12) }])
    await opened.sql(
      `update ${snapshots} set created_at = (select occurred_at from ${events} where stream_id = 'long ago' and ${tenant}) where ${tenant}`,
    )
    await accounts.add('a')
    same(await versions(store, 'a'), [5, 3])
  },

  'another-schema-version-is-ignored-replayed-and-saved-anew': async ({ store }) => {
    const [before, after] = [counting(store, { every: 10 }), counting(store, { every: 10 }, 2)]
    await before.add('a', 20)
    same([await before.costOf('a'), await after.costOf('a'), await after.costOf('a')], [0, 20, 0])
    same((await store.snapshots.latest('a'))?.schemaVersion, 2)
    // the older code goes on by replaying, and leaves the newer snapshot alone
    same([await before.costOf('a'), (await before.load('a')).state.cents], [20, 20])
    same((await store.snapshots.latest('a'))?.schemaVersion, 2)
    same([before.failures, after.failures], [[], []])
  },

  'a-state-to-a-version-comes-from-the-snapshot-before-it': async ({ store }) => {
    const accounts = counting(store, { every: 10 })
    for (const _ of upTo(3)) await accounts.add('a', 10)
    same((await accounts.load('a', { toVersion: 25 })).state, { owner: '', cents: 25, events: 25 })
    same((await accounts.load('a', { toVersion: 4 })).state, { owner: '', cents: 4, events: 4 })
  },

  'an-unreadable-snapshot-falls-back-to-replay-and-is-reported': async ({ store }) => {
    const aggregate = {
      ...accountAggregate(),
      decode: () => {
        throw new Error('no longer readable')
      },
    }
    const failures: SnapshotFailure[] = []
    const onError = (one: SnapshotFailure) => {
      failures.push(one)
      throw new Error('the hook fails, too')
    }
    const accounts = createRepository(store, aggregate, { snapshots: { every: 3, onError } })
    await deposits(store, 'a', 5)
    await accounts.load('a')
    same((await accounts.load('a')).state.cents, 5)
    same(
      failures.map(({ operation, streamId, tenantId, error }) => [
        operation,
        streamId,
        tenantId,
        String(error),
      ]),
      [['load', 'a', store.tenantId, 'Error: no longer readable']],
    )
  },

  'a-state-that-is-no-json-is-reported-and-does-no-harm': async ({ store }) => {
    const failures: SnapshotFailure[] = []
    const aggregate = { ...accountAggregate(), encode: () => ({ when: new Date() }) as never }
    const accounts = createRepository(store, aggregate, {
      snapshots: { every: 2, onError: (one) => failures.push(one) },
    })
    const { version } = await accounts.handle('a', () =>
      upTo(3).map(() => ({ type: 'money.deposited', data: { cents: 1 } })),
    )
    same(
      [version, failures.map(({ operation }) => operation), await store.snapshots.count()],
      [3, ['save'], 0],
    )
    await refused(accounts.snapshot('a'), 'VARVE_INVALID_ARGUMENT')
  },

  'a-database-that-refuses-snapshots-does-no-harm': async ({ fresh }) => {
    const opened = await fresh()
    const { store } = opened
    const accounts = counting(store, { every: 2 })
    await accounts.add('a', 3)
    await opened.sql(`drop table ${opened.table('snapshots')}`)
    const { state, version } = await accounts.add('a', 3)
    same([state.cents, version], [6, 6])
    same(
      accounts.failures.map(({ operation }) => operation),
      ['load', 'save'],
    )
    assert.ok(accounts.failures.every(({ error }) => error instanceof Error))
  },
})
