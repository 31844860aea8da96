import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SqlExtension } from '@varve/sql'
import { sqlOf } from '@varve/sql'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'
import { temporaryFolder } from './harness.js'

let folder: ReturnType<typeof temporaryFolder>
let filename: string

beforeEach(() => {
  folder = temporaryFolder()
  filename = join(folder.path, 'events.db')
})
afterEach(() => folder.remove())

/** Gives the exit code and the signal. */
async function migrateInProcess(...more: string[]): Promise<unknown[]> {
  const child = fork(new URL('./migrate-process.mjs', import.meta.url), [filename, ...more], {
    execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return once(child, 'exit')
}

describe('migrate', () => {
  it('runs once when many processes with several stores start at once', async () => {
    const exits = await Promise.all(Array.from({ length: 7 }, () => migrateInProcess()))
    expect(exits).toEqual(exits.map(() => [0, null]))
    const store = createSqliteEventStore({ filename })
    const states = await store.migrations()
    expect(states.map(({ state }) => state)).toEqual(states.map(() => 'applied'))
    expect((await store.append('a', [{ type: 'a', data: 1 }])).version).toBe(1)
    await store.close()
  })

  it('has not happened when its process is killed half-way, and runs anew', async () => {
    expect(await migrateInProcess('die')).toEqual([null, 'SIGKILL'])
    const store = createSqliteEventStore({ filename })
    const sqlite = [{ name: '0001_first', checksum: '1', sql: 'create table {{first}} (id integer)' }]
    const extension: SqlExtension = {
      name: 'killed',
      migrations: { sqlite, postgres: [], mysql: [] },
      tables: ['first', 'second', 'third'],
    }
    expect((await sqlOf(store).state(extension)).map(({ state }) => state)).toEqual(['pending'])
    await sqlOf(store).migrate(extension)
    expect((await sqlOf(store).state(extension)).map(({ state }) => state)).toEqual(['applied'])
    expect((await store.health()).status).toBe('ok')
    await store.close()
  })

  it('needs no right to write when all is applied', async () => {
    const store = createSqliteEventStore({ filename })
    await store.migrate()
    const database = new Database(filename, { readonly: true })
    const reader = createSqliteEventStore({ database })
    await expect(reader.migrate()).resolves.toBeUndefined()
    await reader.close()
    database.close()
    await store.close()
  })

  it('creates optional indexes once', async () => {
    const database = new Database(filename)
    const store = createSqliteEventStore({ database })
    await store.migrate()
    const indexes = Object.keys(sqlOf(store).dialect.migration.indexes)
    await store.migrate({ indexes })
    await store.migrate({ indexes })
    const rows = database.prepare("select name from varve_migrations where name like 'index/%' order by name")
    expect(rows.pluck().all()).toEqual(indexes.map((name) => `index/${name}`).toSorted())
    await expect(store.migrate({ indexes: ['tag'] })).rejects.toThrow(`known are ${indexes.join(', ')}`)
    await store.close()
    database.close()
  })
})
