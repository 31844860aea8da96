import type { EventStore } from '@varve/core'
import type { SqlExtension } from '@varve/sql'
import { sqlOf } from '@varve/sql'
import { createDatabase } from '@varve/test-servers/vitest'
import type pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

const database = await createDatabase('postgres')
const store: EventStore<pg.PoolClient> = createPostgresEventStore({
  connectionString: database.url,
  schema: 'shop',
})
const { dialect, driver, migrate, session, state } = sqlOf(store)
afterAll(async () => {
  await store.close()
  await database.drop()
})

const notes: SqlExtension = {
  name: 'notes',
  migrations: {
    postgres: [
      {
        name: '0001_notes',
        checksum: 'f'.repeat(64),
        sql: `create table {{notes}} (
          tenant_id text collate "C" not null,
          event_id uuid not null,
          note text not null,
          primary key (tenant_id, event_id)
        )`,
      },
    ],
    mysql: [],
    sqlite: [],
  },
  tables: ['notes'],
}

it("keeps an extension's table beside the store's, in the same transactions, joined with its events", async () => {
  await store.migrate()
  await migrate(notes)
  await migrate(notes)
  expect(await state(notes)).toEqual([
    { name: 'notes/0001_notes', checksum: 'f'.repeat(64), state: 'applied', appliedAt: expect.any(Date) },
  ])

  const note = (text: string) => async (tx: Parameters<Parameters<typeof store.transaction>[0]>[0]) => {
    const { events } = await tx.append('a', [{ type: 'noted', data: text }])
    const insert = `insert into ${dialect.table('notes')} (tenant_id, event_id, note) values ($1, $2, $3)`
    await session(tx).query(insert, [tx.tenantId, events[0]?.id ?? '', text])
  }
  await store.transaction(note('kept'))
  const failure = new Error('rolled back')
  const failing = store.transaction(async (tx) => {
    await note('lost')(tx)
    throw failure
  })
  await expect(failing).rejects.toBe(failure)

  const joined =
    `select e.stream_id, e.version, n.note, ${dialect.time('e.created_at')} from ${dialect.table('events')} e ` +
    `join ${dialect.table('notes')} n on n.tenant_id = e.tenant_id and n.event_id = e.event_id order by e.position`
  const rows = await driver.query(joined)
  const [event] = await store.readStream('a').toArray()
  expect(
    rows.map(([stream, version, text, time]) => [stream, Number(version), text, dialect.decode.time(time)]),
  ).toEqual([['a', 1, 'kept', event?.recordedAt]])
})

it("is blind to the store's own migrations, and they to it", async () => {
  expect((await store.migrations()).map(({ name }) => name)).not.toContain('notes/0001_notes')
  expect((await store.health()).status).toBe('ok')
  await store.migrate()
})
