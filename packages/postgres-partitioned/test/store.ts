import { createDatabase } from '@varve/test-servers/vitest'
import type { TestDatabase } from '@varve/test-servers'
import pg from 'pg'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createPartitionedPostgresEventStore } from '../src/index.js'
import type { PartitionedEventStore, PartitionedPostgresEventStoreOptions } from '../src/index.js'

export type Row = Record<string, unknown>

export interface Opened {
  readonly store: PartitionedEventStore
  readonly schema: string
  /** Runs statements as the owner of the tables, in the store's schema. */
  readonly sql: (text: string, values?: unknown[]) => Promise<Row[]>
  /** A second store on the same tables. */
  readonly another: (options?: PartitionedPostgresEventStoreOptions) => PartitionedEventStore
}

/** One database for a file of tests, with stores that are closed after each test. */
export function useDatabase() {
  let database: TestDatabase
  let owner: pg.Pool
  let schemas = 0
  const stores: PartitionedEventStore[] = []

  beforeAll(async () => {
    database = await createDatabase('postgres')
    owner = new pg.Pool({ connectionString: database.url, max: 8 })
    // the database goes before its last connections have
    owner.on('error', () => undefined)
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })
  afterAll(async () => {
    await owner.end()
    await database.drop()
  })

  const open = (options: PartitionedPostgresEventStoreOptions): PartitionedEventStore => {
    const where =
      options.pool !== undefined && 'connect' in options.pool ? {} : { connectionString: database.url }
    const { partitions, ...rest } = options
    const store = createPartitionedPostgresEventStore({
      ...where,
      ...rest,
      partitions: { maintainEveryMs: 0, closeAfterMs: 0, ...partitions },
    })
    stores.push(store)
    return store
  }
  return {
    database: () => database,
    owner: () => owner,
    open,
    /** In a schema of its own, migrated. */
    fresh: async (options: PartitionedPostgresEventStoreOptions = {}): Promise<Opened> => {
      const schema = `t${++schemas}`
      const store = open({ schema, ...options })
      await store.migrate()
      return {
        store,
        schema,
        another: (more = {}) => open({ schema, ...more }),
        sql: async (text, values) => {
          const client = await owner.connect()
          try {
            await client.query(`set search_path to ${schema}`)
            return (await client.query<Row>(text, values)).rows
          } finally {
            await client.query('reset search_path')
            client.release()
          }
        },
      }
    },
  }
}
