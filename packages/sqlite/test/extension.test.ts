import type { SqlExtension } from '@varve/sql'
import { sqlOf } from '@varve/sql'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'

const notes: SqlExtension = {
  name: 'notes',
  migrations: {
    postgres: [],
    mysql: [],
    sqlite: [
      {
        name: '0001_notes',
        checksum: 'f'.repeat(64),
        sql: 'create table {{notes}} (event_id text primary key, note text not null) strict',
      },
    ],
  },
  tables: ['notes'],
}

const open = () => createSqliteEventStore({ database, tablePrefix: 'shop_' })
let database: Database.Database
let store: ReturnType<typeof open>

beforeEach(async () => {
  database = new Database(':memory:')
  store = open()
  await store.migrate()
})

afterEach(async () => {
  await store.close()
  database.close()
})

it("keeps an extension's table beside the store's, in the same transactions, joined with its events", async () => {
  const access = sqlOf(store)
  await access.migrate(notes)
  await access.migrate(notes)
  const { dialect, driver, session } = access
  const take = (note: string) =>
    store.transaction(async (tx) => {
      const { events } = await tx.append('a', [{ type: 'noted', data: note }])
      const insert = `insert into ${dialect.table('notes')} (event_id, note) values ($1, $2)`
      await session(tx).query(insert, [events[0]?.id ?? '', note])
      if (note === 'lost') throw new Error('rolled back')
    })
  await take('kept')
  await expect(take('lost')).rejects.toThrow('rolled back')

  const joined =
    `select e.stream_id, e.version, n.note, ${dialect.time('e.created_at')} from ${dialect.table('events')} e ` +
    `join ${dialect.table('notes')} n on n.event_id = e.event_id order by e.position`
  const [event] = await store.readStream('a').toArray()
  const rows = await driver.query(joined, [], ([stream, version, note, time]) => {
    return [stream, dialect.decode.number(version), note, dialect.decode.time(time)]
  })
  expect(rows).toEqual([['a', 1, 'kept', event?.recordedAt]])
  expect(await access.state(notes)).toEqual([
    { name: 'notes/0001_notes', checksum: 'f'.repeat(64), state: 'applied', appliedAt: expect.any(Date) },
  ])
  expect((await store.migrations()).map(({ name }) => name)).not.toContain('notes/0001_notes')
})

it("leaves a foreign table alone that bears the name of an extension's", async () => {
  database.exec('create table shop_notes (theirs text)')
  await expect(sqlOf(store).migrate(notes)).rejects.toMatchObject({ code: 'VARVE_MIGRATION' })
  expect(database.prepare('select count(*) from pragma_table_info(?)').pluck().get('shop_notes')).toBe(1)
  expect((await sqlOf(store).state(notes)).map(({ state }) => state)).toEqual(['pending'])
})

it('runs the calls of an extension as the store runs its own', async () => {
  const { run, driver } = sqlOf(store)
  await expect(run('count', () => driver.query('select * from nowhere'))).rejects.toMatchObject({
    code: 'VARVE_MIGRATION',
  })
  await store.close()
  await expect(run('count', async () => 1)).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
})
