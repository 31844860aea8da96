import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '@varve/core'
import { createMysqlEventStore } from '@varve/mysql'
import { createPostgresEventStore } from '@varve/postgres'
import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import { createSqliteEventStore } from '@varve/sqlite'
import { sqlOf } from '@varve/sql'
import { startProxy } from '@varve/test-servers'
import type { Proxy, TestDatabase } from '@varve/test-servers'
import { createDatabase } from '@varve/test-servers/vitest'

export interface OpenStore {
  readonly store: EventStore
  /** Another process's store on the same log. */
  another(): EventStore
  /** What a child process opens it with. */
  readonly address: StoreAddress
  /** Between the store and its server, when it was asked for. */
  readonly proxy?: Proxy
  close(): Promise<void>
}

export interface StoreAddress {
  readonly engine: 'sqlite' | 'postgres' | 'postgres-partitioned' | 'mysql'
  readonly options: Record<string, unknown>
}

export interface Engine {
  readonly name: string
  /** Whose statements it takes. */
  readonly sql: 'sqlite' | 'postgres' | 'mysql'
  open(options?: { proxied?: boolean }): Promise<OpenStore>
  close(): Promise<void>
}

const opening = {
  sqlite: createSqliteEventStore,
  postgres: createPostgresEventStore,
  'postgres-partitioned': createPartitionedPostgresEventStore,
  mysql: createMysqlEventStore,
} satisfies Record<StoreAddress['engine'], (options: Record<string, unknown>) => EventStore>

export function openAddress({ engine, options }: StoreAddress): EventStore {
  return opening[engine](options)
}

function sqlite(): Engine {
  const folder = mkdtempSync(join(tmpdir(), 'varve-webhooks-'))
  let files = 0
  return {
    name: 'sqlite',
    sql: 'sqlite',
    open: async () => {
      const address: StoreAddress = {
        engine: 'sqlite',
        options: { filename: join(folder, `${++files}.db`), synchronous: 'NORMAL' },
      }
      return opened(address)
    },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function server(
  kind: 'postgres' | 'mysql' | 'mariadb',
  engine: 'postgres' | 'postgres-partitioned' | 'mysql' = kind === 'postgres' ? kind : 'mysql',
): Promise<Engine> {
  const database: TestDatabase = await createDatabase(kind)
  let count = 0
  return {
    name: engine === 'mysql' ? kind : engine,
    sql: kind === 'postgres' ? 'postgres' : 'mysql',
    open: async ({ proxied = false } = {}) => {
      const own = `w${++count}`
      const pool = { max: 8, min: 0 }
      const addressAt = (url: string): StoreAddress =>
        engine === 'mysql'
          ? { engine, options: { uri: url, tablePrefix: `${own}_`, pool } }
          : { engine, options: { connectionString: url, schema: own, pool } }
      if (!proxied) return opened(addressAt(database.url))
      const proxy = await startProxy({ target: database.url })
      return opened(addressAt(proxy.url), addressAt(database.url), proxy)
    },
    close: () => database.drop(),
  }
}

async function opened(address: StoreAddress, direct = address, proxy?: Proxy): Promise<OpenStore> {
  const store = openAddress(address)
  const others: EventStore[] = []
  await store.migrate()
  return {
    store,
    address: direct,
    ...(proxy !== undefined && { proxy }),
    another() {
      const other = openAddress(direct)
      others.push(other)
      return other
    },
    async close() {
      await proxy?.accept()
      await Promise.all([store, ...others].map((each) => each.close()))
      await proxy?.stop()
    },
  }
}

/** Runs statements of a test's own, and gives their rows; tables are named in double braces. */
export function sqlFor(store: EventStore): (text: string) => Promise<readonly (readonly unknown[])[]> {
  const { driver, dialect } = sqlOf(store)
  return (text) => driver.query(text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => dialect.table(name)))
}

/** Every engine that the suite runs on; one more is one more line. */
export const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  sqlite: async () => sqlite(),
  postgres: () => server('postgres'),
  'postgres, partitioned': () => server('postgres', 'postgres-partitioned'),
  mysql: () => server('mysql'),
  mariadb: () => server('mariadb'),
}
