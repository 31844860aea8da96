import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, open, pool, database } = useDatabase()

function migrateInProcess(schema: string) {
  const child = fork(new URL('./migrate-process.mjs', import.meta.url), [database().url, schema], {
    execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return { child, exit: once(child, 'exit').then(([code]) => code as number | null) }
}

test('20 processes at once migrate once', async () => {
  const processes = Array.from({ length: 20 }, () => migrateInProcess('crowd'))
  expect(await Promise.all(processes.map(({ exit }) => exit))).toEqual(processes.map(() => 0))
  const { rows } = await pool().query('select name from crowd.varve_migrations order by name')
  expect(rows.length).toBeGreaterThan(0)
  const store = open({ schema: 'crowd' })
  expect((await store.migrations()).every((migration) => migration.state === 'applied')).toBe(true)
  await store.append('s', [{ type: 't', data: 0 }])
})

test('killed half-way, it is as if it had not begun, and runs again', async () => {
  // the migration is made to stop where it writes its record, and its process is killed there
  const blocker = new pg.Client({ connectionString: database().url })
  await blocker.connect()
  await blocker.query(`
    create schema halfway;
    create table halfway.varve_migrations (name text collate "C" primary key, checksum text not null,
      applied_at timestamptz, duration_ms integer)`)
  await blocker.query('begin; lock table halfway.varve_migrations in share mode')
  const { child, exit } = migrateInProcess('halfway')
  const waiting = async () =>
    (
      await pool().query<{ pid: number }>(
        `select l.pid from pg_locks l where not l.granted and l.relation = 'halfway.varve_migrations'::regclass`,
      )
    ).rows.length
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
  child.kill('SIGKILL')
  await exit
  await blocker.query('rollback')
  await blocker.end()
  const store = open({ schema: 'halfway' })
  await expect.poll(waiting).toBe(0)
  await store.migrate()
  expect((await store.append('s', [{ type: 't', data: 0 }])).version).toBe(1)
})

test('a database that is newer than the code, and a file that was changed, are refused', async () => {
  const { store, schema } = await fresh()
  await pool().query(
    `insert into "${schema}".varve_migrations values ('9999_future', repeat('0', 64), now(), 1)`,
  )
  await expect(store.migrate()).rejects.toMatchObject({
    code: 'VARVE_MIGRATION',
    message: expect.stringContaining('9999_future') as string,
  })
  await pool().query(`
    delete from "${schema}".varve_migrations where name = '9999_future';
    update "${schema}".varve_migrations set checksum = repeat('1', 64) where name = '0001_event_store'`)
  await expect(store.migrate()).rejects.toMatchObject({
    code: 'VARVE_MIGRATION',
    message: expect.stringContaining('0001_event_store') as string,
  })
})

test('a foreign table of one of the names is left alone', async () => {
  await pool().query(
    'create schema foreign_table authorization varve; create table foreign_table.events (mine int)',
  )
  await expect(open({ schema: 'foreign_table' }).migrate()).rejects.toMatchObject({
    code: 'VARVE_MIGRATION',
    message: expect.stringContaining('events') as string,
  })
  expect(
    (await pool().query('select * from foreign_table.events')).fields.map((field) => field.name),
  ).toEqual(['mine'])
})

test('before migrate(), every call says what to do', async () => {
  const store = open({ schema: 'nowhere' })
  await expect(store.append('s', [{ type: 't', data: 0 }])).rejects.toMatchObject({
    code: 'VARVE_MIGRATION',
    message: expect.stringContaining('migrate()') as string,
  })
  await expect(store.readAll().toArray()).rejects.toMatchObject({ code: 'VARVE_MIGRATION' })
})

test('heavier indexes are made when asked for, and the planner uses them', async () => {
  const { store, schema } = await fresh()
  await store.migrate({ indexes: ['tags', 'metadata', 'data', 'created_by', 'tenant', 'stream_type'] })
  await store.migrate({ indexes: ['tags'] })
  await expect(store.migrate({ indexes: ['colour'] })).rejects.toMatchObject({
    code: 'VARVE_INVALID_ARGUMENT',
  })
  const { rows } = await pool().query<{ indexname: string }>(
    `select indexname from pg_indexes where schemaname = $1 and tablename = 'events' order by indexname`,
    [schema],
  )
  expect(rows.map((row) => row.indexname)).toEqual(
    expect.arrayContaining(['idx_events_data', 'idx_events_metadata', 'idx_events_tags']),
  )
})

test('data as json: the text is kept, and everything works', async () => {
  const { store, schema } = await fresh({ dataType: 'json' })
  await store.append('s', [{ type: 't', data: { b: 1, a: 1e21 }, metadata: { k: [1] } }])
  await store.append('s', [
    { type: 't', data: 1 },
    { type: 't', data: 2 },
  ])
  expect((await store.readStream('s').toArray()).map((event) => event.data)).toEqual([
    { b: 1, a: 1e21 },
    1,
    2,
  ])
  expect(await store.readAll({ metadata: { k: 1 } }).count()).toBe(0)
  expect(await store.verify()).toMatchObject({ ok: true, events: 3 })
  const { rows } = await pool().query(
    `select data_type from information_schema.columns where table_schema = $1 and table_name = 'events' and column_name = 'event_data'`,
    [schema],
  )
  expect(rows).toEqual([{ data_type: 'json' }])
})
