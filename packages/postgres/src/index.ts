import type { Adapter, EventStore } from '@varve/core'
import { createSqlEventStore } from '@varve/sql'
import type pg from 'pg'
import { postgresParts } from './parts.js'
import type { PostgresEventStoreOptions } from './options.js'

export type { PgPool } from './driver.js'
export type { PostgresEventStoreOptions } from './options.js'

// for adapters made of this one
export { postgresParts } from './parts.js'
export type { PostgresParts } from './parts.js'
export type { PgDriver } from './driver.js'
export type { Names } from './names.js'
export { SettledPositions } from './settled.js'
export { int4Array, int8Array, textArray, uuidArray } from './binary.js'

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
  return createSqlEventStore(postgresParts(options))
}

/** For `openEventStore`: `postgres://…`. */
export const adapter: Adapter = {
  name: 'postgres',
  protocols: ['postgres:', 'postgresql:'],
  packageName: '@varve/postgres',
  open: (url, options) => createPostgresEventStore({ ...options, connectionString: String(url) }),
}
