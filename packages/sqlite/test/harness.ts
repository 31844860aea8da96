import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConformanceHarness, OpenedStore, OpenOptions } from '@varve/core/conformance'
import Database from 'better-sqlite3'
import { createSqliteEventStore } from '../src/index.js'

type Client = Database.Database

/** A folder that goes when the test does. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'varve-sqlite-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function rowsOf(database: Client, text: string): Record<string, unknown>[] {
  const statement = database.prepare(text)
  if (statement.reader) return statement.all() as Record<string, unknown>[]
  statement.run()
  return []
}

function rewriting(database: Client, rewrite: (text: string) => string): Client {
  return new Proxy(database, {
    get(target, name) {
      if (name === 'prepare') return (text: string) => target.prepare(rewrite(text))
      const own: unknown = Reflect.get(target, name, target)
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })
}

/** With the door for maintenance open. */
function tamper(database: Client, text: string): void {
  database.exec(`begin immediate; insert into varve_meta values ('maintenance', 'test'); ${text}`)
  database.exec(`delete from varve_meta where name = 'maintenance'; commit`)
}

function begin(database: Client) {
  database.exec('begin immediate')
  const end = (how: string) => async (): Promise<void> => void database.exec(how)
  return { client: database, commit: end('commit'), rollback: end('rollback') }
}

const forbidden = [
  `update events set event_type = 'other'`,
  `update or replace events set event_type = 'other'`,
  'delete from events',
  'delete from events where 1',
  'insert or replace into events select * from events',
  'replace into events select * from events limit 1',
]

/**
 * The store has the caller's Database on a file, each other store one of its own on the same file. With `rewrite`, statements
 * are others than the stores think.
 */
export const fileHarness = (
  knownGaps: Readonly<Record<string, string>>,
  rewrite?: (text: string) => string,
): ConformanceHarness<Client> => ({
  name: 'sqlite, file',
  knownGaps,
  async open({ migrated = true, ...given }: OpenOptions = {}): Promise<OpenedStore<Client>> {
    const { faults: _, ...options } = given
    const folder = temporaryFolder()
    const filename = join(folder.path, 'events.db')
    const others: Client[] = []
    const connect = (): Client => {
      const connection = new Database(filename)
      others.push(connection)
      return rewrite === undefined ? connection : rewriting(connection, rewrite)
    }
    const database = connect()
    database.pragma('journal_mode = wal')
    const owner = new Database(filename)
    const store = createSqliteEventStore({ database, ...options })
    if (migrated) await store.migrate()
    return {
      store,
      another: async () =>
        createSqliteEventStore(rewrite === undefined ? { filename } : { database: connect() }),
      sql: async (text) => rowsOf(owner, text),
      tamper: async (text) => tamper(owner, text),
      query: async (client, text) => rowsOf(client, text),
      table: (name) => `"${name}"`,
      begin: async () => begin(database),
      forbidden,
      async dispose() {
        await store.close()
        owner.close()
        for (const connection of others) connection.close()
        folder.remove()
      },
    }
  },
})

/** All stores share one Database in memory, and so its one connection. */
export const memoryHarness = (knownGaps: Readonly<Record<string, string>>): ConformanceHarness<Client> => ({
  name: 'sqlite, memory',
  knownGaps,
  async open({ migrated = true, ...given }: OpenOptions = {}): Promise<OpenedStore<Client>> {
    const { faults: _, ...options } = given
    const database = new Database(':memory:')
    // calls of the cases wait for a transaction that is held open; who only watches it must not keep the suite waiting
    const store = createSqliteEventStore({ database, acquireTimeoutMs: 3_000, ...options })
    const another = () => createSqliteEventStore({ database, acquireTimeoutMs: 250, ...options })
    if (migrated) await store.migrate()
    return {
      store,
      another: async () => another(),
      sql: async (text) => rowsOf(database, text),
      tamper: async (text) => tamper(database, text),
      query: async (client, text) => rowsOf(client, text),
      table: (name) => `"${name}"`,
      begin: async () => begin(database),
      forbidden,
      async dispose() {
        await store.close()
        database.close()
      },
    }
  },
})
