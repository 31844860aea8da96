import type { Adapter, EventStore } from '@varve/core'
import { createSqlEventStore } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { sqliteDialect } from './dialect.js'
import { SqliteDriver } from './driver.js'
import { Names } from './names.js'
import { openConnection } from './open.js'
import { resolveSqliteOptions } from './options.js'
import type { SqliteEventStoreOptions } from './options.js'
import { optionsOfUrl } from './url.js'

export type { SqliteEventStoreOptions } from './options.js'

/**
 * Opens an event store on SQLite: in memory, in a file with a write-ahead log, or on your own Database of better-sqlite3.
 * Any number of processes may open the same file.
 *
 * SQLite works within the process, one statement at a time: `statementTimeoutMs` and `pool` have no meaning here. While
 * `store.transaction` is open, every other call of the store waits for its end, at most `acquireTimeoutMs`.
 *
 * @throws InvalidArgumentError for options that are unknown or out of range.
 * @throws StoreUnavailableError for a file that cannot be opened.
 *
 * @example
 * ```ts
 * import { createSqliteEventStore } from '@varve/sqlite'
 *
 * const store = createSqliteEventStore({ filename: ':memory:' })
 * await store.migrate()
 * await store.append('cart-1', [{ type: 'cart.opened', data: {} }], { expectedVersion: 'no-stream' })
 * await store.close()
 * ```
 */
export function createSqliteEventStore(options?: SqliteEventStoreOptions): EventStore<Database> {
  const resolved = resolveSqliteOptions(options)
  const connection = openConnection(resolved)
  const driver = new SqliteDriver(connection, {
    owned: resolved.database === undefined,
    acquireTimeoutMs: resolved.shared.acquireTimeoutMs,
  })
  const dialect = sqliteDialect(driver, connection, new Names(resolved.tablePrefix))
  return createSqlEventStore({ driver, dialect, options: resolved.shared })
}

/** For `openEventStore`: `sqlite::memory:`, `sqlite:./events.db`, `sqlite:///var/lib/events.db`. */
export const adapter: Adapter = {
  name: 'sqlite',
  protocols: ['sqlite:'],
  packageName: '@varve/sqlite',
  open: (url, options) => createSqliteEventStore({ ...optionsOfUrl(String(url)), ...options }),
}
