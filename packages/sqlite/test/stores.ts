import { join } from 'node:path'
import type { EventStore } from '@varve/core'
import Database from 'better-sqlite3'
import { afterEach } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'
import type { SqliteEventStoreOptions } from '../src/index.js'
import { temporaryFolder } from './harness.js'

type Client = Database.Database

/** Stores, databases and files that are gone after each test. */
export function useStores() {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).toReversed()) await step()
  })
  const folder = (): string => {
    const { path, remove } = temporaryFolder()
    undo.push(remove)
    return path
  }
  const open = (options?: SqliteEventStoreOptions): EventStore<Client> => {
    const store = createSqliteEventStore(options)
    undo.push(() => store.close())
    return store
  }
  return {
    /** The path of a file that is not there yet. */
    file: (): string => join(folder(), 'events.db'),
    open,
    migrated: async (options?: SqliteEventStoreOptions): Promise<EventStore<Client>> => {
      const store = open(options)
      await store.migrate()
      return store
    },
    /** A Database of the caller's; with a write-ahead log, if it is a file. */
    database: (filename = ':memory:'): Client => {
      const database = new Database(filename)
      undo.push(() => database.close())
      database.pragma('journal_mode = wal')
      return database
    },
    /** Does something when the test is over. */
    afterwards: (step: () => unknown) => void undo.push(step),
  }
}

export const one = [{ type: 'happened', data: { number: 1 } }]
