import { setImmediate } from 'node:timers/promises'
import { InvalidArgumentError } from '@varve/core'
import type { ResolvedStoreOptions } from '@varve/core'
import type { SqlDriver, SqlRow, SqlSession, SqlTransactionOptions, SqlValue } from '@varve/sql'
import type pg from 'pg'
import { AcquireError, classify, isBroken, isSilence } from './classify.js'
import { JoinedSession, PgSession, runQuery, runScript } from './session.js'
import type { SessionSettings } from './session.js'

/** What is used of a pool. */
export interface PgPool {
  connect(): Promise<pg.PoolClient>
  end(): Promise<void>
  /** Connections that nobody uses, and callers that wait for one; where the pool tells. */
  readonly idleCount?: number
  readonly waitingCount?: number
}

// the server's own limit acts first; this one is for servers and networks that have fallen silent
const GRACE_MS = 2_000
const MAX_BROKEN = 10

/** @param owned whether the store opened the pool itself, and ends it */
export class PgDriver implements SqlDriver<pg.PoolClient> {
  readonly #pool: PgPool
  readonly #owned: boolean
  readonly #acquireTimeoutMs: number
  readonly #settings: SessionSettings
  readonly #listening = new WeakSet<pg.PoolClient>()

  constructor(pool: PgPool, owned: boolean, options: ResolvedStoreOptions) {
    this.#pool = pool
    this.#owned = owned
    this.#acquireTimeoutMs = options.acquireTimeoutMs
    this.#settings = {
      prepared: { on: options.preparedStatements },
      deadlineMs: options.statementTimeoutMs === 0 ? 0 : options.statementTimeoutMs + GRACE_MS,
    }
  }

  async query<T = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    map?: (row: SqlRow) => T,
  ): Promise<T[]> {
    const client = await this.#acquire()
    let broken: Error | undefined
    try {
      return await runQuery(client, this.#settings, text, params, map)
    } catch (error) {
      if (isBroken(error)) broken = error
      throw error
    } finally {
      client.release(broken)
    }
  }

  async session<T>(work: (session: SqlSession<pg.PoolClient>) => Promise<T>): Promise<T> {
    const client = await this.#acquire()
    const session = new PgSession(client, this.#settings)
    let broken: Error | undefined
    try {
      return await work(session)
    } catch (error) {
      if (isBroken(error)) broken = error
      throw error
    } finally {
      client.release(broken ?? session.broken)
    }
  }

  transaction<T>(
    work: (session: SqlSession<pg.PoolClient>) => Promise<T>,
    options?: SqlTransactionOptions,
  ): Promise<T> {
    return this.#transaction(this.#settings, work, options?.settings)
  }

  /** A transaction whose statements may take as long as they need. */
  patiently<T>(work: (session: SqlSession<pg.PoolClient>) => Promise<T>): Promise<T> {
    return this.#transaction({ ...this.#settings, deadlineMs: 0 }, async (session) => {
      await session.script('set local statement_timeout = 0')
      return work(session)
    })
  }

  async #transaction<T>(
    settings: SessionSettings,
    work: (session: SqlSession<pg.PoolClient>) => Promise<T>,
    local = '',
  ): Promise<T> {
    const client = await this.#begin(local)
    let broken: Error | undefined
    const session = new PgSession(client, settings)
    try {
      const result = await work(session)
      await this.#commit(client)
      return result
    } catch (error) {
      // the work may have put the error of its statement into other words, or have thrown one of its own
      broken = session.broken ?? (isBroken(error) ? error : await this.#rollback(client))
      throw error
    } finally {
      client.release(broken ?? session.broken)
    }
  }

  join(client: pg.PoolClient): SqlSession<pg.PoolClient> {
    if (typeof client !== 'object' || client === null || typeof client.query !== 'function') {
      throw new InvalidArgumentError('client', 'must be a client of pg, in a transaction that you began')
    }
    return new JoinedSession(client, this.#settings)
  }

  enter(): void {
    // any number of connections: no call waits for itself
  }

  classify(error: unknown): ReturnType<typeof classify> {
    return classify(error)
  }

  async close(): Promise<void> {
    if (this.#owned) await this.#pool.end()
  }

  /** A pooled connection may have broken while it lay idle: then nothing has happened yet, and another one is taken. */
  async #begin(local: string): Promise<pg.PoolClient> {
    for (let attempt = 1; ; attempt++) {
      const client = await this.#acquire()
      try {
        // whatever the server's default is: the store counts on each statement seeing what is committed by then
        await runScript(client, this.#settings, `begin isolation level read committed read write; ${local}`)
        return client
      } catch (error) {
        client.release(error instanceof Error ? error : true)
        if (isSilence(error) || !isBroken(error) || attempt >= MAX_BROKEN) throw new AcquireError(error)
        await setImmediate()
      }
    }
  }

  async #commit(client: pg.PoolClient): Promise<void> {
    if ((await runScript(client, this.#settings, 'commit')) === 'COMMIT') return
    throw new InvalidArgumentError(
      'transaction',
      'a statement in it failed and its error was not passed on, so that Postgres rolled everything back; ' +
        'let such errors out of the work, or use a savepoint around statements that may fail',
    )
  }

  async #rollback(client: pg.PoolClient): Promise<Error | undefined> {
    try {
      await runScript(client, this.#settings, 'rollback')
      return undefined
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #acquire(): Promise<pg.PoolClient> {
    let late = false
    let timer: NodeJS.Timeout | undefined
    const { idleCount = 0, waitingCount = 0 } = this.#pool
    // one that lies ready is had at once: no timer for what nobody waits for
    const unlimited = this.#acquireTimeoutMs === 0 || idleCount > waitingCount
    const asked = this.#pool.connect()
    try {
      const client = await (unlimited
        ? asked
        : Promise.race([
            asked,
            new Promise<never>((_, reject) => {
              timer = setTimeout(() => {
                late = true
                reject(new Error(`no connection within ${this.#acquireTimeoutMs} ms`))
              }, this.#acquireTimeoutMs)
            }),
          ]))
      if (!this.#listening.has(client)) {
        // a connection that breaks between two statements must not end the process; the next statement reports it
        client.on('error', () => undefined)
        this.#listening.add(client)
      }
      return client
    } catch (error) {
      if (late) asked.then((client) => client.release()).catch(() => undefined)
      throw new AcquireError(error)
    } finally {
      clearTimeout(timer)
    }
  }
}
