import type { EventStore } from '@varve/core'
import { registerSql } from './extension.js'
import { StoreHandle } from './store.js'
import { StoreParts } from './store-parts.js'
import type { StoreSetup } from './store-parts.js'

/**
 * Makes an event store of a driver and a dialect; for adapters.
 *
 * @example
 * ```ts
 * import { resolveStoreOptions, type EventStore } from '@varve/core'
 * import { createSqlEventStore, type Dialect, type SqlDriver } from '@varve/sql'
 *
 * export function createMyEventStore<Client>(driver: SqlDriver<Client>, dialect: Dialect<Client>): EventStore<Client> {
 *   return createSqlEventStore({ driver, dialect, options: resolveStoreOptions() })
 * }
 * ```
 */
export function createSqlEventStore<Client>(setup: StoreSetup<Client>): EventStore<Client> {
  const parts = new StoreParts(setup)
  const store = new StoreHandle(parts, setup.options.tenantId, false)
  registerSql(store, parts)
  return store
}
