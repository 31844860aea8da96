import type { ResolvedStoreOptions } from '@varve/core'
import type { Dialect } from '@varve/sql'
import pg from 'pg'
import { postgresDialect } from './dialect.js'
import { PgDriver } from './driver.js'
import { hintClient } from './hint-client.js'
import { PostgresHints } from './hints.js'
import { namesIn } from './names.js'
import type { Names } from './names.js'
import { resolvePostgresOptions } from './options.js'
import type { PostgresEventStoreOptions, ResolvedPostgresOptions } from './options.js'

/** What a store on Postgres is made of; an adapter may put single pieces of its own in their place. */
export interface PostgresParts {
  readonly driver: PgDriver
  readonly dialect: Dialect<pg.PoolClient>
  readonly names: Names
  readonly options: ResolvedStoreOptions
}

/** @throws InvalidArgumentError for options that are unknown or out of range. */
export function postgresParts(options: PostgresEventStoreOptions): PostgresParts {
  const resolved = resolvePostgresOptions(options)
  const pool = resolved.pool ?? openPool(resolved)
  const driver = new PgDriver(pool, resolved.pool === undefined, resolved.shared)
  const names = namesIn(resolved.schema, resolved.dataType)
  const open = hintClient(pool, resolved.shared)
  const hints = open && new PostgresHints(resolved.schema, open)
  return { driver, dialect: postgresDialect(driver, names, hints), names, options: resolved.shared }
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
