import { createDatabase } from '@varve/test-servers/vitest'
import type { TestDatabase } from '@varve/test-servers'
import pg from 'pg'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'

export type Store = ReturnType<typeof createPostgresEventStore>

/** One database for a file of tests, with stores that are closed after each test. */
export function useDatabase() {
  let database: TestDatabase
  let pool: pg.Pool
  let owner: pg.Pool
  let schemas = 0
  const stores: Store[] = []

  beforeAll(async () => {
    database = await createDatabase('postgres')
    pool = new pg.Pool({ connectionString: database.adminUrl, max: 8 })
    owner = new pg.Pool({ connectionString: database.url, max: 8 })
    // a pool has ended before its last connections have, and the database is dropped beneath them
    for (const any of [pool, owner]) any.on('error', () => undefined)
    // dropping the database ends sessions that are just being closed
    for (const each of [pool, owner]) each.on('connect', (client) => client.on('error', () => undefined))
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })
  afterAll(async () => {
    await Promise.all([pool.end(), owner.end()])
    await database.drop()
  })

  const open = (options: PostgresEventStoreOptions = {}): Store => {
    const own =
      options.connectionString !== undefined ||
      typeof (options.pool as pg.Pool | undefined)?.connect === 'function'
    const store = createPostgresEventStore({ ...(!own && { connectionString: database.url }), ...options })
    stores.push(store)
    return store
  }
  return {
    /** Any rights, any statement. */
    pool: () => pool,
    /** The same user as the stores'. */
    owner: () => owner,
    database: () => database,
    open,
    /** In a schema of its own, migrated. */
    fresh: async (options: PostgresEventStoreOptions = {}): Promise<{ store: Store; schema: string }> => {
      const schema = `t${++schemas}`
      const store = open({ schema, ...options })
      await store.migrate()
      return { store, schema }
    },
  }
}
