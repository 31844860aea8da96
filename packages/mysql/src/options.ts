import { InvalidArgumentError, resolveStoreOptions } from '@varve/core'
import type { PoolOptions, ResolvedStoreOptions, StoreOptions } from '@varve/core'
import { isPool } from './pool.js'
import type { MysqlPool } from './pool.js'

export interface MysqlEventStoreOptions extends Omit<StoreOptions, 'pool'> {
  /** `mysql://user:password@host:3306/database`, or `mariadb://…`; the store opens a pool of its own. */
  uri?: string | undefined
  /**
   * Sizes of the store's own pool; or your pool of mysql2, with promises or callbacks, which the store uses and never ends, its
   * settings being yours.
   */
  pool?: MysqlPool | PoolOptions | undefined
  /** Stands before the names of tables, views, triggers and procedures; letters, digits and underscores, at most 30. */
  tablePrefix?: string | undefined
}

export interface ResolvedMysqlOptions {
  /** Of the server, or the caller's pool. */
  readonly target: string | MysqlPool
  readonly tablePrefix: string
  readonly shared: ResolvedStoreOptions
}

/** @throws InvalidArgumentError */
export function resolveMysqlOptions(options: MysqlEventStoreOptions = {}): ResolvedMysqlOptions {
  const { pool, uri, tablePrefix = '' } = options
  const own = isPool(pool)
  const shared = resolveStoreOptions({ ...options, pool: own ? undefined : pool }, ['uri', 'tablePrefix'])
  if (typeof tablePrefix !== 'string' || !/^(?:[a-z_]\w{0,29})?$/i.test(tablePrefix)) {
    throw new InvalidArgumentError(
      'tablePrefix',
      'must be at most 30 letters, digits and underscores, not beginning with a digit',
    )
  }
  if (own) {
    if (uri !== undefined) throw new InvalidArgumentError('uri', 'give either a URI or a pool, not both')
    return { target: pool, tablePrefix, shared }
  }
  if (typeof uri !== 'string' || !/^(?:mysql|mariadb):\/\//i.test(uri)) {
    throw new InvalidArgumentError('uri', 'give a URI (mysql://… or mariadb://…) or a pool of mysql2')
  }
  return { target: uri, tablePrefix, shared }
}
