import type { Adapter, EventStore } from '@varve/core'
import { createSqlEventStore } from '@varve/sql'
import pg from 'pg'
import { postgresDialect } from './dialect.js'
import { PgDriver } from './driver.js'
import { resolvePostgresOptions } from './options.js'
import type { PostgresEventStoreOptions, ResolvedPostgresOptions } from './options.js'

export type { PgPool } from './driver.js'
export type { PostgresEventStoreOptions } from './options.js'

/**
 * Opens an event store on Postgres 14 to 18. Nothing is asked of the server before the first call.
 *
 * @throws InvalidArgumentError for options that are unknown or out of range.
 *
 * @example
 * ```ts
 * import { createPostgresEventStore } from '@varve/postgres'
 *
 * const store = createPostgresEventStore({ connectionString: 'postgres://app@127.0.0.1/shop' })
 * await store.migrate()
 * await store.append('cart-1', [{ type: 'cart.opened', data: {} }], { expectedVersion: 'no-stream' })
 * await store.close()
 * ```
 */
export function createPostgresEventStore(options: PostgresEventStoreOptions): EventStore<pg.PoolClient> {
  const resolved = resolvePostgresOptions(options)
  const pool = resolved.pool ?? openPool(resolved)
  const driver = new PgDriver(pool, resolved.pool === undefined, resolved.shared)
  const dialect = postgresDialect(driver, resolved.schema, resolved.dataType)
  return createSqlEventStore({ driver, dialect, options: resolved.shared })
}

/** For `openEventStore`: `postgres://…`. */
export const adapter: Adapter = {
  name: 'postgres',
  protocols: ['postgres:', 'postgresql:'],
  packageName: '@varve/postgres',
  open: (url, options) => createPostgresEventStore({ ...options, connectionString: String(url) }),
}

function openPool({ connectionString, shared }: ResolvedPostgresOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: shared.pool.max,
    min: shared.pool.min,
    connectionTimeoutMillis: shared.acquireTimeoutMs,
    idleTimeoutMillis: shared.idleTimeoutMs,
    application_name: 'varve',
    keepAlive: true,
    ...(shared.statementTimeoutMs > 0 && { statement_timeout: shared.statementTimeoutMs }),
  })
  // a connection that breaks while nobody uses it is replaced; without listeners it would end the process
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}
