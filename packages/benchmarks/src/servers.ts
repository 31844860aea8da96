import { createDatabaseOn, startPostgres } from '@varve/test-servers'
import type { TestDatabase, TestServer } from '@varve/test-servers'
import type { Engine } from './benchmark.ts'

/** Servers with their data on a real disk, started when they are first asked for. */
export class Servers implements AsyncDisposable {
  #postgres: Promise<TestServer> | undefined
  readonly #pids = new Map<Engine, number | undefined>()

  /** An empty database of its own. */
  async postgresDatabase(): Promise<TestDatabase> {
    this.#postgres ??= startPostgres({
      fsync: true,
      settings: {
        shared_buffers: '512MB',
        // a checkpoint in the middle of a round would hit one side only
        max_wal_size: '16GB',
        checkpoint_timeout: '1h',
      },
    })
    const server = await this.#postgres
    this.#pids.set('postgres', server.pid)
    return createDatabaseOn(server)
  }

  /** Of the server's process, where it is one of ours. */
  pid(engine: Engine): number | undefined {
    return this.#pids.get(engine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#postgres)?.stop()
  }
}
