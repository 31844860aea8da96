import { InvalidArgumentError, resolveStoreOptions } from '@varve/core'
import type { PoolOptions, ResolvedStoreOptions, StoreOptions } from '@varve/core'
import type { PgPool } from './driver.js'

export interface PostgresEventStoreOptions extends Omit<StoreOptions, 'pool'> {
  /** `postgres://user:password@host:5432/database`; the store opens a pool of its own. */
  connectionString?: string | undefined
  /** Sizes of the store's own pool; or your `pg.Pool`, which the store uses and never ends, its settings being yours. */
  pool?: PgPool | PoolOptions | undefined
  /** Where the tables live, `'varve'` when absent; made by `migrate()`. */
  schema?: string | undefined
  /**
   * How `migrate()` creates the column of the events' data, `'jsonb'` when absent. `'json'` stores the text as it is: appends
   * cost about a third less, and queries of your own on the data more. Fixed when the table is made.
   */
  dataType?: 'jsonb' | 'json' | undefined
}

export interface ResolvedPostgresOptions {
  readonly connectionString: string | undefined
  readonly pool: PgPool | undefined
  readonly schema: string
  readonly dataType: 'jsonb' | 'json'
  readonly shared: ResolvedStoreOptions
}

/** @throws InvalidArgumentError */
export function resolvePostgresOptions(options: PostgresEventStoreOptions = {}): ResolvedPostgresOptions {
  const { pool, connectionString, schema = 'varve', dataType = 'jsonb' } = options
  const own = isPool(pool)
  const others = ['connectionString', 'schema', 'dataType']
  const shared = resolveStoreOptions({ ...options, pool: own ? undefined : pool }, others)
  if (own && connectionString !== undefined) {
    throw new InvalidArgumentError('connectionString', 'give either a connection string or a pool, not both')
  }
  if (!own && (typeof connectionString !== 'string' || connectionString === '')) {
    throw new InvalidArgumentError(
      'connectionString',
      'give a connection string (postgres://…) or a pool of pg',
    )
  }
  if (
    typeof schema !== 'string' ||
    schema === '' ||
    Buffer.byteLength(schema) > 63 ||
    schema.includes('\0')
  ) {
    throw new InvalidArgumentError('schema', 'must be a name of 1 to 63 bytes')
  }
  // they mean something in the text of migrations
  if (/\{\{|\$varve\$/.test(schema))
    throw new InvalidArgumentError('schema', "must not hold '{{' or '$varve$'")
  if (dataType !== 'jsonb' && dataType !== 'json') {
    throw new InvalidArgumentError('dataType', `must be 'jsonb' or 'json', is '${String(dataType)}'`)
  }
  return { connectionString, pool: own ? pool : undefined, schema, dataType, shared }
}

function isPool(pool: PostgresEventStoreOptions['pool']): pool is PgPool {
  if (typeof pool !== 'object' || pool === null || !('connect' in pool)) return false
  if ('connectionParameters' in pool)
    throw new InvalidArgumentError('pool', 'is a Client of pg, which is one connection; give a Pool')
  return typeof pool.connect === 'function'
}
