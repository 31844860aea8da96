import { createDatabaseOn, startMariadb, startMysql, startPostgres } from '@varve/test-servers'
import type { TestDatabase, TestServer } from '@varve/test-servers'
import pg from 'pg'
import type { Engine } from './benchmark.ts'

/** Of 16 MiB each; a round writes a few. */
const WAL_SEGMENTS = 128

/** Servers with their data on a real disk, started when they are first asked for. */
export class Servers implements AsyncDisposable {
  #postgres: Promise<TestServer> | undefined
  readonly #mysql = new Map<'mysql' | 'mariadb', Promise<TestServer>>()
  readonly #pids = new Map<Engine, number | undefined>()

  /** An empty database of its own. */
  async postgresDatabase(): Promise<TestDatabase> {
    this.#postgres ??= startedPostgres()
    const server = await this.#postgres
    this.#pids.set('postgres', server.pid)
    // gives back the segments that were used so far
    await run(server, 'checkpoint')
    return createDatabaseOn(server)
  }

  /** An empty database of its own. */
  async mysqlDatabase(engine: 'mysql' | 'mariadb'): Promise<TestDatabase> {
    const started =
      this.#mysql.get(engine) ?? (engine === 'mysql' ? startMysql : startMariadb)({ fsync: true })
    this.#mysql.set(engine, started)
    const server = await started
    this.#pids.set(engine, server.pid)
    return createDatabaseOn(server)
  }

  /** Of the server's process, where it is one of ours. */
  pid(engine: Engine): number | undefined {
    return this.#pids.get(engine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#postgres)?.stop()
    for (const started of this.#mysql.values()) await (await started).stop()
  }
}

async function startedPostgres(): Promise<TestServer> {
  const server = await startPostgres({
    fsync: true,
    settings: {
      shared_buffers: '512MB',
      // a checkpoint in the middle of a round would hit one side only
      max_wal_size: '16GB',
      checkpoint_timeout: '1h',
      min_wal_size: `${WAL_SEGMENTS * 16}MB`,
    },
  })
  // a server that has run for a while writes into segments that are there, and need not fill new ones with zeros first
  const segment = [`select pg_logical_emit_message(false, '', '.')`, 'select pg_switch_wal()']
  await run(server, ...Array.from({ length: WAL_SEGMENTS }, () => segment).flat())
  return server
}

async function run(server: TestServer, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server.adminUrl })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
