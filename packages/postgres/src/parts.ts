import { InvalidArgumentError } from '@varve/core'
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

/** A mistake in it is the caller's, and not a server that is away. No message shows any of it, as it may hold a password. */
function checkConnectionString(connectionString = ''): void {
  const like = 'postgres://user:password@host:5432/database'
  if (!/^(postgres(ql)?|socket):|^\//i.test(connectionString)) {
    throw new InvalidArgumentError('connectionString', `must begin with postgres:// as in ${like}`)
  }
  try {
    void new pg.Client({ connectionString })
  } catch (error) {
    throw new InvalidArgumentError(
      'connectionString',
      `cannot be read (${error instanceof Error ? error.message : String(error)}); it is written ${like}, with ` +
        'special characters of the password as %40 and the like',
    )
  }
}

function openPool({ connectionString, shared }: ResolvedPostgresOptions): pg.Pool {
  checkConnectionString(connectionString)
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
