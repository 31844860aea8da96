import { fork } from 'node:child_process'
import { once } from 'node:events'
import { isMigrationError } from '@varve/core'
import { sqlOf } from '@varve/sql'
import type { SqlExtension } from '@varve/sql'
import { createDatabaseOn } from '@varve/test-servers'
import { serverAddress } from '@varve/test-servers/vitest'
import { createConnection, createPool } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { createMysqlEventStore } from '../src/index.js'
import { migrations } from '../src/generated/migrations.js'
import { statementsOf } from '../src/script.js'
import { dumpSchema } from './dump-schema.js'
import { one, onEach, until } from './store.js'

onEach('migrations', ({ fresh, open, database, sql, admin, prefix }, family) => {
  const migrateInProcess = (tablePrefix: string) => {
    const child = fork(new URL('./migrate-process.mjs', import.meta.url), [database().url, tablePrefix], {
      execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    return { child, exit: once(child, 'exit').then(([code]) => code as number | null) }
  }

  it('by 20 processes at once are run once', async () => {
    const tablePrefix = prefix()
    const processes = Array.from({ length: 20 }, () => migrateInProcess(tablePrefix))
    expect(await Promise.all(processes.map(({ exit }) => exit))).toEqual(processes.map(() => 0))
    const store = open({ tablePrefix })
    expect((await store.migrations()).map(({ state }) => state)).toEqual(migrations.map(() => 'applied'))
    expect((await store.append('a', one())).version).toBe(1)
  }, 60_000)

  it('of a process that is killed half-way go on where it stopped', async () => {
    const begun = async () => {
      const tablePrefix = prefix()
      const { child, exit } = migrateInProcess(tablePrefix)
      let over = false
      const ended = exit.finally(() => (over = true))
      const blocker = await createConnection({ uri: database().url })
      // reading the table keeps what belongs to it from being made
      await until(async () => {
        await blocker.query('start transaction')
        return blocker.query(`select * from ${tablePrefix}events`).then(
          () => true,
          () => false,
        )
      })
      await until(async () => {
        const waiting = `select id from information_schema.processlist where db = '${database().name}' and state like 'Waiting for table metadata lock%'`
        return over || (await admin(waiting)).length > 0
      })
      return { tablePrefix, child, exit: ended, blocker, over: () => over }
    }
    let half = await begun()
    // it may have been through before the table was read
    while (half.over()) {
      await half.blocker.end()
      half = await begun()
    }
    const { tablePrefix, child, exit, blocker } = half
    child.kill('SIGKILL')
    expect(await exit).toBeNull()
    const store = open({ tablePrefix })
    expect((await store.migrations()).map(({ state }) => state)).toEqual(migrations.map(() => 'pending'))
    const migrated = store.migrate()
    await blocker.query('commit')
    await blocker.end()
    await migrated
    expect((await store.migrations()).map(({ state }) => state)).toEqual(migrations.map(() => 'applied'))
    expect((await store.append('a', one())).version).toBe(1)
    expect(await store.verify()).toMatchObject({ ok: true })
  }, 60_000)

  it('go on behind each of their statements, and come to the same', async () => {
    const whole = await createDatabaseOn(serverAddress(family))
    const store = createMysqlEventStore({ uri: whole.url })
    await store.migrate()
    await store.close()
    const pool = createPool({ uri: whole.adminUrl, connectionLimit: 1 })
    const expected = await dumpSchema(pool, whole.name)
    await pool.end()
    await whole.drop()

    for (const [number, migration] of migrations.entries()) {
      const count = statementsOf(migration.sql).length
      for (let done = 1; done < count; done++) {
        await using half = await createDatabaseOn(serverAddress(family))
        const resumed = createMysqlEventStore({ uri: half.url, pool: { max: 1, min: 0 } })
        const { driver, dialect } = sqlOf(resumed)
        await driver.session(async (session) => {
          const { migration: steps } = dialect
          await steps.apply(session, steps.recordTable)
          for (const [index, each] of migrations.slice(0, number + 1).entries()) {
            const statements = statementsOf(steps.render(each.sql)).slice(
              0,
              index < number ? undefined : done,
            )
            for (const statement of statements) await steps.apply(session, `delimiter //\n${statement}//`)
            const finished = index < number ? 'utc_timestamp(6)' : 'null'
            await session.query(
              `insert into varve_migrations (name, checksum, applied_at) values ($1, $2, ${finished})`,
              [each.name, each.checksum],
            )
          }
        })
        await resumed.migrate()
        await resumed.append('a', one())
        await resumed.close()
        const admins = createPool({ uri: half.adminUrl, connectionLimit: 1 })
        const found = `${migration.name} ${done}: ${await dumpSchema(admins, half.name)}`
        expect(found).toBe(`${migration.name} ${done}: ${expected}`)
        await admins.end()
      }
    }
  }, 120_000)

  it('take no lock, and need no right, when there is nothing to do', async () => {
    const { store, prefix: tablePrefix } = await fresh()
    const blocker = await createConnection({ uri: database().url })
    await blocker.query(`lock tables ${tablePrefix}events write, ${tablePrefix}event_streams write`)
    await expect(store.migrate()).resolves.toBeUndefined()
    await blocker.query('unlock tables')
    await blocker.end()
  })

  it('refuse tables and views that are not ours, and change nothing', async () => {
    for (const theirs of [
      'create table %events (mine int)',
      'create view %v_recent_events as select 1 as mine',
    ]) {
      const tablePrefix = prefix()
      await sql(theirs.replace('%', tablePrefix))
      const store = open({ tablePrefix })
      await expect(store.migrate()).rejects.toSatisfy(isMigrationError)
      const tables = `select table_name as name from information_schema.tables where table_schema = '${database().name}' and left(table_name, ${tablePrefix.length}) = '${tablePrefix}'`
      expect((await sql(tables)).length).toBe(1)
    }
  })

  it('say that the connection has no database', async () => {
    const url = new URL(database().url)
    url.pathname = ''
    const store = createMysqlEventStore({ uri: url.href })
    await expect(store.migrate()).rejects.toMatchObject({
      message: expect.stringContaining('database') as string,
    })
    await store.close()
  })

  it('make optional indexes, once', async () => {
    const { store, prefix: tablePrefix } = await fresh()
    // as if the process had died between the index and its record
    await sql(`create index idx_events_created_by on ${tablePrefix}events (tenant_id, created_by, position)`)
    const indexes = ['created_by', 'tenant', 'stream_type']
    await store.migrate({ indexes })
    await store.migrate({ indexes })
    const rows = await sql(`show index from ${tablePrefix}events`)
    const found = new Set(rows.map((row) => row['Key_name']))
    for (const index of indexes) expect(found).toContain(`idx_events_${index}`)
  })

  it('of a package with tables of its own may have procedures, comments and the like in them', async () => {
    const { store, prefix: tablePrefix } = await fresh()
    const extension: SqlExtension = {
      name: 'jobs',
      migrations: {
        postgres: [],
        sqlite: [],
        mysql: [
          {
            name: '0001_jobs',
            checksum: 'x',
            sql: `-- it's "one"; two
create table if not exists {{jobs}} (id int primary key, note varchar(255) not null default ';''\\';') # ; '
  default character set utf8mb4 collate utf8mb4_0900_bin; /* ; ' */
insert into {{jobs}} (id) values (1);
delimiter $$
create procedure {{twice}}() begin insert into {{jobs}} (id) values (2); insert into {{jobs}} (id) values (3); end $$
delimiter ;
call {{twice}}()`,
          },
        ],
      },
      tables: ['jobs'],
    }
    await sqlOf(store).migrate(extension)
    expect(await sql(`select id, note from ${tablePrefix}jobs`)).toEqual(
      [1, 2, 3].map((id) => ({ id, note: `;'';` })),
    )
  })
})
