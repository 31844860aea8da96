import type { Adapter, EventStore, StoreTransaction } from '@varve/core'
import { createSqlEventStore } from '@varve/sql'
import type { Connection as CallbackConnection } from 'mysql2'
import type { Connection } from 'mysql2/promise'
import { mysqlDialect } from './dialect.js'
import { MysqlDriver } from './driver.js'
import { resolveMysqlOptions } from './options.js'
import type { MysqlEventStoreOptions } from './options.js'
import { callersPool, openPool } from './pool.js'

export type { MysqlEventStoreOptions } from './options.js'
export type { MysqlPool } from './pool.js'

export interface MysqlEventStore extends EventStore<Connection> {
  /** Joins a transaction that you began on a connection of mysql2, with promises or callbacks. */
  using(client: Connection | CallbackConnection): StoreTransaction<Connection>
}

/**
 * Opens an event store on MySQL 8.4 or newer, or MariaDB 10.11 or newer. Nothing is asked of the server before the first call.
 *
 * Who appends keeps all other writers of the log waiting until his transaction ends: in `store.transaction`, append last.
 *
 * @throws InvalidArgumentError for options that are unknown or out of range.
 *
 * @example
 * ```ts
 * import { createMysqlEventStore } from '@varve/mysql'
 *
 * const store = createMysqlEventStore({ uri: 'mysql://app:secret@127.0.0.1/shop' })
 * await store.migrate()
 * await store.append('cart-1', [{ type: 'cart.opened', data: {} }], { expectedVersion: 'no-stream' })
 * await store.close()
 * ```
 */
export function createMysqlEventStore(options: MysqlEventStoreOptions): MysqlEventStore {
  const { target, tablePrefix, shared } = resolveMysqlOptions(options)
  const source = typeof target === 'string' ? openPool(target, shared) : callersPool(target)
  const driver = new MysqlDriver(source, shared)
  return createSqlEventStore({ driver, dialect: mysqlDialect(driver, tablePrefix), options: shared })
}

/** For `openEventStore`: `mysql://…` and `mariadb://…`. */
export const adapter: Adapter = {
  name: 'mysql',
  protocols: ['mysql:', 'mariadb:'],
  packageName: '@varve/mysql',
  open: (url, options) => createMysqlEventStore({ ...options, uri: String(url) }),
}
