import type { EventStore } from '@varve/core'
import { isMigrationError } from '@varve/core'
import type { SqlExtension } from '@varve/sql'
import { sqlOf } from '@varve/sql'
import { createDatabase } from '@varve/test-servers/vitest'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'

const database = await createDatabase('postgres')
const owner = new pg.Pool({ connectionString: database.url, max: 4 })
const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 })
const opened: EventStore<pg.PoolClient>[] = []
let count = 0

function open(options: PostgresEventStoreOptions = {}): EventStore<pg.PoolClient> {
  const store = createPostgresEventStore({
    connectionString: database.url,
    schema: `m${++count}`,
    pool: { max: 2, min: 0 },
    ...options,
  })
  opened.push(store)
  return store
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
})

afterAll(async () => {
  await owner.end()
  await admin.end()
  await database.drop()
})

describe('migrate', () => {
  it('takes no lock when there is nothing to do', async () => {
    const store = open()
    await store.migrate()
    const client = await owner.connect()
    try {
      await client.query('begin')
      await client.query(`lock table m${count}.events, m${count}.varve_meta in access exclusive mode`)
      await client.query(`lock table m${count}.varve_migrations in exclusive mode`)
      await expect(store.migrate()).resolves.toBeUndefined()
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  it('leaves nothing behind when its connection is killed half-way, and runs anew', async () => {
    const store = open()
    await store.migrate()
    await owner.query(`create table m${count}.held (id int)`)
    const extension = halfWay('killed')
    const client = await owner.connect()
    try {
      await client.query('begin')
      await client.query(`lock table m${count}.held in access exclusive mode`)
      const migrating = sqlOf(store).migrate(extension)
      const [outcome] = await Promise.allSettled([migrating, killWhoWaitsFor(client)])
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'VARVE_UNAVAILABLE' } })
    } finally {
      await client.query('rollback')
      client.release()
    }
    expect((await sqlOf(store).state(extension)).map(({ state }) => state)).toEqual(['pending', 'pending'])
    await sqlOf(store).migrate(extension)
    expect((await sqlOf(store).state(extension)).map(({ state }) => state)).toEqual(['applied', 'applied'])
  })

  it('names the file and the reason when the database refuses a statement', async () => {
    const store = open()
    await store.migrate()
    const broken: SqlExtension = {
      name: 'broken',
      migrations: {
        postgres: [{ name: '0001_x', checksum: 'a', sql: 'create nonsense' }],
        mysql: [],
        sqlite: [],
      },
      tables: [],
    }
    const error: unknown = await sqlOf(store)
      .migrate(broken)
      .catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    expect(String(error)).toMatch(/'broken\/0001_x'.*syntax error/)
  })

  it('needs no right to create anything when all is applied', async () => {
    const store = open()
    await store.migrate()
    const role = `app_${database.name}`
    await admin.query(`create role ${role} login`)
    try {
      await admin.query(`grant usage on schema m${count} to ${role}`)
      await admin.query(`grant select on all tables in schema m${count} to ${role}`)
      const url = new URL(database.url)
      url.username = role
      const app = open({ connectionString: url.href, schema: `m${count}` })
      await app.migrate()
      expect((await app.health()).status).toBe('ok')
      await app.close()
    } finally {
      await admin.query(`drop owned by ${role}`)
      await admin.query(`drop role ${role}`)
    }
  })

  it('makes do with a schema that somebody else made for it', async () => {
    const role = `dba_${database.name}`
    await admin.query(`create role ${role} login`)
    await admin.query(`create schema prepared authorization ${role}`)
    const url = new URL(database.url)
    url.username = role
    const store = open({ connectionString: url.href, schema: 'prepared' })
    await store.migrate()
    expect((await store.append('a', [{ type: 'a', data: 1 }])).version).toBe(1)
    await store.close()
    await admin.query(`drop owned by ${role}`)
    await admin.query(`drop role ${role}`)
  })

  it.each(['Shop', 'with space', 'quote"d', "it's", 'händler', 'select'])(
    'takes %j as a schema',
    async (schema) => {
      const store = open({ schema })
      await store.migrate()
      await store.migrate()
      await store.append('a', [{ type: 'a', data: 1 }])
      expect(await store.readAll().count()).toBe(1)
      expect((await store.health()).status).toBe('ok')
    },
  )

  it('refuses a view that bears the name of a table', async () => {
    const store = open()
    await owner.query(`create schema m${count}`)
    await owner.query(`create view m${count}.events as select 1 as theirs`)
    await expect(store.migrate()).rejects.toThrow("'events'")
  })
})

/** Creates a table, then waits for the lock on another. */
function halfWay(name: string): SqlExtension {
  const first = { name: '0001_first', checksum: '1'.repeat(64), sql: 'create table {{first}} (id int)' }
  const second = { name: '0002_second', checksum: '2'.repeat(64), sql: 'insert into {{held}} values (1)' }
  return { name, migrations: { postgres: [first, second], mysql: [], sqlite: [] }, tables: ['first'] }
}

/** Looks until a session waits for a lock of the client's, and ends it. */
async function killWhoWaitsFor(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  for (;;) {
    const { rowCount } = await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
      [rows[0]?.pid],
    )
    if (rowCount !== 0) return
  }
}
