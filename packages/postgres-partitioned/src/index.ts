import { isStoreUnavailableError } from '@varve/core'
import type { Adapter, EventStore, MigrateOptions } from '@varve/core'
import { postgresParts, SettledPositions } from '@varve/postgres'
import type { PostgresParts } from '@varve/postgres'
import { createSqlEventStore, sqlOf } from '@varve/sql'
import type { Dialect } from '@varve/sql'
import type pg from 'pg'
import { uniqueAcrossPartitions } from './append.js'
import { partitionHealth } from './health.js'
import { Maintenance } from './maintenance.js'
import { migrationFiles } from './migration-files.js'
import { partitionNames } from './names.js'
import { resolvePartitionOptions } from './options.js'
import type { PartitionedPostgresEventStoreOptions } from './options.js'
import { PartitionMap } from './partition-map.js'
import { managePartitions } from './partitions.js'
import type { Partitions } from './partitions.js'

export type { ArchiveManifest, ArchiveTarget } from './archive.js'
export type { PartitionedPostgresEventStoreOptions, PartitionOptions } from './options.js'
export type { ForceOptions, Partition, Partitions } from './partitions.js'
export type { RestoreSource } from './restore.js'

/** An event store whose log is kept in monthly partitions. */
export interface PartitionedEventStore extends EventStore<pg.PoolClient> {
  readonly partitions: Partitions
}

/**
 * Opens an event store on Postgres 14 to 18 whose events lie in monthly partitions. Nothing is asked of the server before
 * the first call; from then on the store sees to its partitions now and then.
 *
 * @throws InvalidArgumentError for options that are unknown or out of range.
 *
 * @example
 * ```ts
 * import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
 *
 * const store = createPartitionedPostgresEventStore({ connectionString: 'postgres://app@127.0.0.1/shop' })
 * await store.migrate()
 * await store.append('cart-1', [{ type: 'cart.opened', data: {} }], { expectedVersion: 'no-stream' })
 * console.log(await store.partitions.list())
 * await store.close()
 * ```
 */
export function createPartitionedPostgresEventStore(
  options: PartitionedPostgresEventStoreOptions,
): PartitionedEventStore {
  const { partitions: given, ...rest } = options
  const resolved = resolvePartitionOptions(given)
  const base = postgresParts(rest)
  const names = partitionNames(base.names)
  const status: { maintenance?: Maintenance } = {}
  const dialect = partitionedDialect(base, () => status.maintenance?.failure)
  const store = createSqlEventStore({ driver: base.driver, dialect, options: base.options })

  const partitions = managePartitions(base.driver, names, resolved, sqlOf(store).run)
  const maintenance = new Maintenance(resolved.maintainEveryMs, () => partitions.ensure())
  status.maintenance = maintenance
  const { migrate, close } = { migrate: store.migrate.bind(store), close: store.close.bind(store) }
  return Object.assign(store, {
    partitions,
    async migrate(migrateOptions?: MigrateOptions): Promise<void> {
      await migrate(migrateOptions)
      await partitions.ensure()
    },
    async close(): Promise<void> {
      maintenance.stop()
      await close()
    },
  })
}

/** The dialect of Postgres with other tables, and with what only partitions need. */
function partitionedDialect(
  { driver, dialect, names: baseNames }: PostgresParts,
  failure: () => string | undefined,
): Dialect<pg.PoolClient> {
  const names = partitionNames(baseNames)
  const parts: PartitionMap = new PartitionMap(driver, names, () => settledNow(settled))
  const settled = new SettledPositions(driver, names, parts.highest)
  const { migration } = dialect
  return {
    ...dialect,
    append: uniqueAcrossPartitions(driver, dialect.append, names),
    parts,
    settled,
    migration: {
      ...migration,
      files: migrationFiles(migration.files),
      tables: [...migration.tables, 'event_partitions', 'events_default'],
    },
    health: async (any) => [
      ...(await dialect.health(any)),
      ...(await partitionHealth(driver, names, failure)),
    ],
  }
}

async function settledNow(source: SettledPositions): Promise<number> {
  try {
    return (await source.look()).settled
  } catch (error) {
    // a hot standby cannot tell; reads that need no guard are served there all the same
    if (isStoreUnavailableError(error)) return 0
    throw error
  }
}

/** For `openEventStore`: `postgres://…?partitioned=true`. */
export const adapter: Adapter = {
  name: 'postgres-partitioned',
  protocols: ['postgres:', 'postgresql:'],
  packageName: '@varve/postgres-partitioned',
  open: (url, options) => createPartitionedPostgresEventStore({ ...options, connectionString: String(url) }),
}
