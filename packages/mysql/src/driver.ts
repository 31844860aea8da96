import { setImmediate } from 'node:timers/promises'
import { InvalidArgumentError } from '@varve/core'
import type { ResolvedStoreOptions } from '@varve/core'
import type { SqlDriver, SqlRow, SqlSession, SqlTransactionOptions, SqlValue } from '@varve/sql'
import type { PoolConnection } from 'mysql2'
import type { Connection } from 'mysql2/promise'
import { AcquireError, classify, DeadlineError, isBroken } from './classify.js'
import type { Source } from './pool.js'
import { coreOf, destroy, run, runText } from './run.js'
import type { Core, RunSettings } from './run.js'
import { MysqlSession } from './session.js'
import {
  CLOSE_MAINTENANCE,
  LIFT_LIMITS,
  READ_COMMITTED,
  RESTORE_LIMITS,
  SessionSettings,
} from './session-settings.js'

// the server's own limit acts first; this one is for servers and networks that have fallen silent
const GRACE_MS = 2_000
const MAX_BROKEN = 10

export class MysqlDriver implements SqlDriver<Connection> {
  readonly #source: Source
  readonly #acquireTimeoutMs: number
  readonly #settings: RunSettings
  readonly #sessionSettings: SessionSettings

  constructor(source: Source, options: ResolvedStoreOptions) {
    this.#source = source
    this.#acquireTimeoutMs = options.acquireTimeoutMs
    // on the caller's pool the server has no limit of ours
    const grace = source.owned ? GRACE_MS : 0
    this.#settings = {
      prepared: options.preparedStatements,
      inlined: !options.preparedStatements,
      deadlineMs: options.statementTimeoutMs === 0 ? 0 : options.statementTimeoutMs + grace,
    }
    this.#sessionSettings = new SessionSettings(
      source.owned,
      options.statementTimeoutMs,
      options.acquireTimeoutMs,
    )
  }

  query<T = SqlRow>(text: string, params: readonly SqlValue[] = [], map?: (row: SqlRow) => T): Promise<T[]> {
    return this.#use(async (core) => (await run(core, this.#settings, text, params, map)).rows)
  }

  session<T>(work: (session: SqlSession<Connection>) => Promise<T>): Promise<T> {
    return this.#use((core) => work(new MysqlSession(core, this.#settings)))
  }

  /** A session whose statements may take as long as they need. */
  patiently<T>(work: (session: SqlSession<Connection>) => Promise<T>): Promise<T> {
    return this.#use(async (core) => {
      const session = new MysqlSession(core, { ...this.#settings, deadlineMs: 0 })
      await session.script(LIFT_LIMITS)
      try {
        return await work(session)
      } finally {
        await session.script(RESTORE_LIMITS).catch(() => destroy(core))
      }
    })
  }

  async transaction<T>(
    work: (session: SqlSession<Connection>) => Promise<T>,
    options?: SqlTransactionOptions,
  ): Promise<T> {
    const core = await this.#begin()
    const session = new MysqlSession(core, this.#settings)
    let usable = true
    try {
      if (options?.settings !== undefined && options.settings !== '') await session.script(options.settings)
      const result = await work(session)
      await runText(core, this.#settings.deadlineMs, 'commit')
      return result
    } catch (error) {
      usable = !isBroken(error) && (await this.#rollback(core, session))
      throw error
    } finally {
      this.#done(core, usable)
    }
  }

  join(client: Connection): SqlSession<Connection> {
    const core: Partial<Core> = coreOf(client)
    if (typeof core.execute !== 'function' || typeof core.promise !== 'function') {
      throw new InvalidArgumentError(
        'client',
        'must be a connection of mysql2, in a transaction that you began',
      )
    }
    const promised = core === (client as unknown) ? undefined : client
    // its limits are the caller's to set
    return new MysqlSession(core as Core, { ...this.#settings, deadlineMs: 0 }, promised)
  }

  enter(): void {
    // any number of connections: no call waits for itself
  }

  classify(error: unknown): ReturnType<typeof classify> {
    return classify(error)
  }

  close(): Promise<void> {
    return this.#source.close()
  }

  /** A pooled connection may have broken while it lay idle: then nothing has happened yet, and another one is taken. */
  async #begin(): Promise<PoolConnection> {
    for (let attempt = 1; ; attempt++) {
      const core = await this.#acquire()
      try {
        // the store counts on each statement seeing what is committed by then; its own pool is set so already
        if (!this.#source.owned) await runText(core, this.#settings.deadlineMs, READ_COMMITTED)
        await runText(core, this.#settings.deadlineMs, 'start transaction read write')
        return core
      } catch (error) {
        this.#done(core, false)
        const silent = error instanceof DeadlineError
        if (silent || !isBroken(error) || attempt >= MAX_BROKEN) throw new AcquireError(error)
        await setImmediate()
      }
    }
  }

  /** Whether the connection can be used again: without a transaction, and with the append-only tables closed to it. */
  async #rollback(core: PoolConnection, session?: MysqlSession): Promise<boolean> {
    try {
      await runText(core, this.#settings.deadlineMs, 'rollback')
      if (session?.open === true) await session.script(CLOSE_MAINTENANCE)
      return true
    } catch {
      return false
    }
  }

  async #use<T>(work: (core: PoolConnection) => Promise<T>): Promise<T> {
    const core = await this.#acquire()
    let usable = true
    try {
      return await work(core)
    } catch (error) {
      // a procedure that somebody has killed leaves its transaction open, with its locks: no handler of its own is run
      usable = !isBroken(error) && (await this.#rollback(core))
      throw error
    } finally {
      this.#done(core, usable)
    }
  }

  #done(core: PoolConnection, usable: boolean): void {
    if (usable) this.#source.release(core)
    else destroy(core)
  }

  async #acquire(): Promise<PoolConnection> {
    const core = await this.#connection()
    try {
      await this.#sessionSettings.apply(core)
      return core
    } catch (error) {
      this.#done(core, false)
      throw error instanceof InvalidArgumentError ? error : new AcquireError(error)
    }
  }

  async #connection(): Promise<PoolConnection> {
    let late = false
    let timer: NodeJS.Timeout | undefined
    const asked = this.#source.get()
    try {
      if (this.#acquireTimeoutMs === 0) return await asked
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          late = true
          reject(new Error(`no connection within ${this.#acquireTimeoutMs} ms`))
        }, this.#acquireTimeoutMs)
      })
      return await Promise.race([asked, timeout])
    } catch (error) {
      if (late) asked.then((core) => this.#source.release(core)).catch(() => undefined)
      throw new AcquireError(error)
    } finally {
      clearTimeout(timer)
    }
  }
}
