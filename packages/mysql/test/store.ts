import { createDatabase } from '@varve/test-servers/vitest'
import type { TestDatabase } from '@varve/test-servers'
import { createPool } from 'mysql2/promise'
import type { Pool, RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createMysqlEventStore } from '../src/index.js'
import type { MysqlEventStore, MysqlEventStoreOptions, MysqlPool } from '../src/index.js'

export const families = ['mysql', 'mariadb'] as const
export type Family = (typeof families)[number]

export const one = (type = 'tested') => [{ type, data: { a: 1 } }]

/** Describes what holds on servers of both families. */
export function onEach(
  name: string,
  body: (database: ReturnType<typeof useDatabase>, family: Family) => void,
): void {
  for (const family of families) {
    describe(`${name} on ${family}`, () => {
      body(useDatabase(family), family)
    })
  }
}

/** One database for a group of tests, with stores that are closed after each. */
export function useDatabase(family: Family) {
  let database: TestDatabase
  let admin: Pool
  let owner: Pool
  let prefixes = 0
  const stores: MysqlEventStore[] = []

  beforeAll(async () => {
    database = await createDatabase(family)
    admin = createPool({ uri: database.adminUrl, connectionLimit: 4 })
    owner = createPool({ uri: database.url, connectionLimit: 8 })
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })
  afterAll(async () => {
    await Promise.all([admin.end(), owner.end()])
    await database.drop()
  })

  const open = (options: MysqlEventStoreOptions = {}): MysqlEventStore => {
    const own = options.uri !== undefined || isPool(options.pool)
    const store = createMysqlEventStore({ ...(!own && { uri: database.url }), ...options })
    stores.push(store)
    return store
  }
  return {
    database: () => database,
    /** The same user as the stores'. */
    owner: () => owner,
    open,
    prefix: () => `t${++prefixes}_`,
    /** With a prefix of its own, migrated. */
    fresh: async (
      options: MysqlEventStoreOptions = {},
    ): Promise<{ store: MysqlEventStore; prefix: string }> => {
      const prefix = `t${++prefixes}_`
      const store = open({ tablePrefix: prefix, ...options })
      await store.migrate()
      return { store, prefix }
    },
    /** Any rights, any statement. */
    admin: (text: string) => rowsOf(admin, text),
    sql: (text: string) => rowsOf(owner, text),
  }
}

function isPool(pool: unknown): pool is MysqlPool {
  return typeof pool === 'object' && pool !== null && 'getConnection' in pool
}

export async function rowsOf(pool: Pick<Pool, 'query'>, text: string): Promise<RowDataPacket[]> {
  const [rows] = await pool.query<RowDataPacket[]>(text)
  return Array.isArray(rows) ? rows : []
}

/** Looks again and again until it is so; the test's own timeout ends it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
