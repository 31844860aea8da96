import type { MigrateOptions, MigrationState, ResolvedStoreOptions, ResolvedVerify } from '@varve/core'
import type {
  HealthReport,
  Projection,
  ResolvedSubscribe,
  StoreStatistics,
  StoreTransaction,
  Subscription,
  VerifyReport,
} from '@varve/core'
import { sleep, StoreUnavailableError } from '@varve/core'
import { Appender } from './append.js'
import { freshTurns } from './client-turns.js'
import type { AdminContext } from './consume/admin.js'
import { Checkpoints } from './consume/checkpoint.js'
import { ParkedEvents } from './consume/parked.js'
import { inlineStep, setUpInline } from './consume/inline.js'
import { LogSubscription } from './consume/subscription.js'
import { Tail } from './consume/tail.js'
import type { Dialect } from './dialect.js'
import type { SqlDriver } from './driver.js'
import { toStoreError } from './failure.js'
import { health } from './health.js'
import { lastPosition } from './last-position.js'
import { Lifecycle } from './lifecycle.js'
import { migrate, migrationStates } from './migrate.js'
import { LogReader } from './read-all.js'
import { streamReader } from './read-stream.js'
import { snapshotStatements } from './snapshot-sql.js'
import type { SnapshotStatements } from './snapshot-sql.js'
import { statistics } from './statistics.js'
import { headReader } from './streams.js'
import { isConflict, SqlTransaction } from './transaction.js'
import type { TransactionContext } from './transaction.js'
import { verify } from './verify.js'

export interface StoreSetup<Client> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  readonly options: ResolvedStoreOptions
}

/** What all handles of one store share. */
export class StoreParts<Client> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  readonly options: ResolvedStoreOptions
  readonly lifecycle: Lifecycle
  readonly appender: Appender<Client>
  readonly log: LogReader
  readonly tail: Tail
  readonly readStream: ReturnType<typeof streamReader>
  readonly readHead: ReturnType<typeof headReader>
  readonly snapshots: SnapshotStatements
  /** What looking after projections needs. */
  readonly projections: AdminContext<Client>
  readonly #runners = new Set<{ stop(): Promise<void> }>()
  /** For transactions of the caller's own. */
  readonly joining: TransactionContext<Client>
  readonly #within: TransactionContext<Client>

  constructor({ driver, dialect, options }: StoreSetup<Client>) {
    this.driver = driver
    this.dialect = dialect
    this.options = options
    this.lifecycle = new Lifecycle(driver, options)
    const { hints } = dialect.consume
    this.tail = new Tail({ settled: dialect.settled, hints, driver })
    const inline = options.inline as readonly Projection<Client>[]
    this.appender = new Appender({
      driver,
      dialect,
      options,
      inline: inline.length === 0 ? undefined : inlineStep(driver, inline),
      appended: () => this.tail.appended(),
    })
    this.log = new LogReader({
      dialect,
      access: this.lifecycle.access,
    })
    this.projections = {
      driver,
      dialect,
      options,
      lifecycle: this.lifecycle,
      log: this.log,
      tail: this.tail,
      query: (text, params, map) => driver.query(text, params, map),
      checkpoints: new Checkpoints(dialect),
      parked: new ParkedEvents(dialect),
      started: (runner) => {
        this.#runners.add(runner)
        void runner.over.finally(() => this.#runners.delete(runner))
      },
    }
    this.readStream = streamReader(dialect)
    this.readHead = headReader(dialect)
    this.snapshots = snapshotStatements(dialect)
    const shared = {
      dialect,
      appender: this.appender,
      limits: options,
      readStream: this.readStream,
      readHead: this.readHead,
      snapshots: this.snapshots,
    }
    this.joining = { ...shared, run: (operation, work) => this.lifecycle.run(operation, work) }
    // the transaction as a whole is counted, and checked, when it begins
    this.#within = { ...shared, run: async (_, work) => this.#translated(work) }
    this.lifecycle.onClosing(async () => {
      // the leases are given back, and others told, before nothing can be told any more
      await Promise.all([...this.#runners].map((runner) => runner.stop()))
      dialect.settled.close()
      await hints?.close()
    })
    this.lifecycle.onClosing(() => this.tail.close())
  }

  lastPosition(tenantId: string | undefined): Promise<number> {
    return lastPosition(this.dialect, this.lifecycle.access, tenantId)
  }

  subscribe(tenantId: string | undefined, options: ResolvedSubscribe): Subscription {
    this.lifecycle.check('subscribe')
    const { tail, log, lifecycle, driver } = this
    return new LogSubscription(
      { tail, log, settled: this.dialect.settled, lifecycle, driver },
      tenantId,
      options,
    )
  }

  statistics(tenantId: string | undefined): Promise<StoreStatistics> {
    return this.lifecycle.run('statistics', () => statistics(this.driver, this.dialect, tenantId))
  }

  verify(tenantId: string | undefined, options: ResolvedVerify): Promise<VerifyReport> {
    return verify(this, tenantId, options)
  }

  migrate(options?: MigrateOptions): Promise<void> {
    return this.lifecycle.run('migrate', async () => {
      const { driver, dialect } = this
      await migrate({ driver, dialect, options })
      await setUpInline(driver, dialect, this.options.inline as readonly Projection<Client>[])
    })
  }

  migrations(): Promise<MigrationState[]> {
    return this.lifecycle.run('migrations', () =>
      migrationStates({ driver: this.driver, dialect: this.dialect }),
    )
  }

  health(): Promise<HealthReport> {
    return this.lifecycle.run('health', () => health(this.driver, this.dialect))
  }

  transaction<T>(
    tenantId: string,
    work: (tx: StoreTransaction<Client>) => Promise<T>,
    options: { retries: number; maintenance: boolean },
  ): Promise<T> {
    return this.lifecycle.runUntranslated('transaction', async () => {
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.#once(tenantId, work, options.maintenance)
        } catch (error) {
          if (!isConflict(error) || attempt >= options.retries) throw error
          await sleep(Math.random() * 10 * 2 ** Math.min(attempt, 8))
        }
      }
    })
  }

  async #once<T>(
    tenantId: string,
    work: (tx: StoreTransaction<Client>) => Promise<T>,
    maintenance: boolean,
  ): Promise<T> {
    let thrown: { error: unknown } | undefined
    let tx: SqlTransaction<Client> | undefined
    try {
      const done = await this.driver.transaction(async (session) => {
        if (maintenance) await this.dialect.openMaintenance(session)
        freshTurns(session.client as object)
        const opened = new SqlTransaction(this.#within, session, tenantId)
        tx = opened
        try {
          const result = await this.lifecycle.inTransaction(() => work(opened))
          await opened.finish()
          if (maintenance) await this.dialect.closeMaintenance(session)
          return result
        } catch (error) {
          thrown = { error }
          throw error
        } finally {
          opened.end()
        }
      })
      if (tx !== undefined && tx.eventIds.length > 0) this.tail.appended()
      return done
    } catch (error) {
      if (thrown?.error === error) {
        // the caller's own error comes back as it is, unless the database threw it to end the transaction
        throw this.driver.classify(error).kind === 'conflict' ? toStoreError(this.driver, error) : error
      }
      throw tx === undefined ? toStoreError(this.driver, error) : this.#commitError(error, tx.eventIds)
    }
  }

  #commitError(error: unknown, eventIds: readonly string[]): unknown {
    const failure = this.driver.classify(error)
    if (failure.kind !== 'lost') return toStoreError(this.driver, error)
    return new StoreUnavailableError(
      `The connection was lost while the transaction was committed (${failure.detail}). It is not known whether it was.`,
      { outcome: 'unknown', eventIds, cause: error },
    )
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toStoreError(this.driver, error)
    }
  }
}
