import type { EventStore, Snapshot, SnapshotStore } from '@varve/core'
import { inTransactions, omit, replaced, type Fault } from './wrap.js'

/** A store whose snapshots behave differently. */
function fault(
  name: string,
  members: (snapshots: SnapshotStore, store: EventStore, root: EventStore) => Partial<SnapshotStore>,
  caughtBy = 'snapshots',
): Fault {
  return {
    name,
    caughtBy,
    breaks: (store, root) => ({
      snapshots: replaced(store.snapshots, members(store.snapshots, store, root)),
    }),
  }
}

const changed = (change: (snapshot: Snapshot) => Snapshot) => (snapshots: SnapshotStore) => ({
  latest: async (...call: Parameters<SnapshotStore['latest']>) => {
    const found = await snapshots.latest(...call)
    return found && change(found)
  },
})

/** As if there were no newer ones while it is saved. */
const withoutNewer =
  (replace: boolean) =>
  (snapshots: SnapshotStore): Partial<SnapshotStore> => ({
    async save(streamId, snapshot, options) {
      const all = await snapshots.list(streamId, { snapshotType: snapshot.snapshotType ?? 'state' })
      const newer = all.filter(({ version }) =>
        replace ? version === snapshot.version : version > snapshot.version,
      )
      for (const { version } of newer) await snapshots.delete(streamId, { version })
      const saved = await snapshots.save(streamId, snapshot, options)
      for (const one of newer.filter(({ version }) => version > snapshot.version)) {
        const { version, state, snapshotType, schemaVersion } = one
        await snapshots.save(streamId, { version, state, snapshotType, schemaVersion })
      }
      return saved
    },
  })

export const snapshotFaults: readonly Fault[] = [
  fault('saves an older snapshot beside a newer one', withoutNewer(false)),
  fault('replaces a snapshot by one of an older schema', withoutNewer(true)),
  fault('keeps all snapshots', (snapshots) => ({
    save: (streamId, snapshot) => snapshots.save(streamId, snapshot),
  })),
  fault('keeps one snapshot too many', (snapshots) => ({
    save: (streamId, snapshot, options) =>
      snapshots.save(streamId, snapshot, options?.keep === undefined ? options : { keep: options.keep + 1 }),
  })),
  fault('says that it saved what it did not', (snapshots) => ({
    save: async (...call) => {
      await snapshots.save(...call)
      return true
    },
  })),
  fault('gives the oldest snapshot for the latest', (snapshots) => ({
    latest: async (streamId, query) =>
      (await snapshots.list(streamId, { snapshotType: 'state', ...omit(query ?? {}, 'schemaVersion') })).at(
        -1,
      ),
  })),
  fault('takes no notice of the schema version', (snapshots) => ({
    latest: (streamId, query) => snapshots.latest(streamId, query && omit(query, 'schemaVersion')),
  })),
  fault('takes no notice of the type', (snapshots) => ({
    latest: async (streamId) => (await snapshots.list(streamId, { limit: 1 }))[0],
  })),
  fault('has at-or-before exclude the version', (snapshots) => ({
    atOrBefore: (streamId, version, query) => snapshots.atOrBefore(streamId, Math.max(0, version - 1), query),
  })),
  fault(
    'rounds states',
    changed((one) => ({
      ...one,
      state: JSON.parse(JSON.stringify(one.state), (_, value: unknown) =>
        value === 5e-324 ? 0 : value,
      ) as Snapshot['state'],
    })),
  ),
  fault('shows the snapshots of all tenants', (_, store, root) => ({
    latest: (streamId, query) =>
      root.forTenant(store.tenantId.replace('-outside', '')).snapshots.latest(streamId, query),
  })),
  fault('prunes all tenants', (snapshots, store, root) => ({
    async prune(options) {
      if (!store.tenantId.endsWith('-beside'))
        await root.forTenant(`${store.tenantId}-beside`).snapshots.prune(options)
      return snapshots.prune(options)
    },
  })),
  fault('prunes one too few', (snapshots) => ({
    prune: (options) => snapshots.prune({ ...options, keep: (options?.keep ?? 5) + 1 }),
  })),
  fault('has coverage include streams that are as long as asked for', (snapshots) => ({
    coverage: (options) =>
      snapshots.coverage({
        ...options,
        moreThan: Math.max(0, (options?.moreThan ?? 100) - 1),
        limit: options?.limit,
      }),
  })),
  fault('lists the coverage without its limit', (snapshots) => ({
    coverage: (options) => snapshots.coverage(options && omit(options, 'limit')),
  })),
  {
    name: 'does not see in a transaction what that saved',
    caughtBy: 'snapshots',
    breaks: (store) =>
      inTransactions(store, (tx) => ({
        snapshots: replaced(tx.snapshots, {
          latest: async () => undefined,
        }),
      })),
  },
  fault(
    'never gives a snapshot',
    () => ({ atOrBefore: async () => undefined, latest: async () => undefined }),
    'aggregate-snapshots',
  ),
  fault(
    'gives a snapshot of another schema version to a repository',
    (snapshots) => ({
      atOrBefore: (streamId, version, query) =>
        snapshots.atOrBefore(streamId, version, query && omit(query, 'schemaVersion')),
    }),
    'aggregate-snapshots',
  ),
]
