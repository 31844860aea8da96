import { hash } from 'node:crypto'
import { InvalidArgumentError, isEventStoreError, MigrationError } from '@varve/core'
import type { MigrateOptions, MigrationState } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'
import type { SqlDriver, SqlSession } from './driver.js'
import { compare, glanceAtRecords, readRecords, refuseForeignHistory, toState } from './migration-records.js'
import type { MigrationRecord } from './migration-records.js'
import { indexRecordName, ownSet, RECORD_TABLE, recordName, tablesCreatedBy } from './migration-set.js'
import type { MigrationSet } from './migration-set.js'

export interface MigrationContext<Client> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  /** The store's own when absent. */
  readonly set?: MigrationSet
}

/**
 * Applies what is missing of a set, one process at a time. Where all is applied this costs one query and takes no lock.
 *
 * @throws MigrationError when the database is newer than this code, a shipped migration was changed, a foreign table bears
 * one of the names, or a statement is refused.
 * @throws InvalidArgumentError for an optional index that there is not.
 */
export async function migrate<Client>(
  context: MigrationContext<Client> & { options?: MigrateOptions | undefined },
): Promise<void> {
  const { driver, dialect, set = ownSet(dialect), options } = context
  const indexes = chosenIndexes(dialect, options)
  const glance = await glanceAtRecords(driver, dialect)
  if (missing(set, glance).length === 0 && missingIndexes(indexes, glance).length === 0) return

  await dialect.migration.exclusively(driver, async (session) => {
    const run = new Run(driver, dialect, set, session)
    const records = await run.records()
    await run.refuseForeignTables(records)
    for (const { shipped, recorded } of missing(set, records))
      await run.apply(shipped, recorded !== undefined)
    for (const index of missingIndexes(indexes, records)) await run.createIndex(index)
  })
}

/** What is applied and what is not; on an empty database all is pending. */
export async function migrationStates<Client>(context: MigrationContext<Client>): Promise<MigrationState[]> {
  const { driver, dialect, set = ownSet(dialect) } = context
  return compare(set, await glanceAtRecords(driver, dialect)).map(toState)
}

interface Missing {
  readonly shipped: Migration
  readonly recorded: MigrationRecord | undefined
}

function missing(set: MigrationSet, records: readonly MigrationRecord[]): Missing[] {
  const compared = compare(set, records)
  refuseForeignHistory(compared)
  return compared.flatMap(({ state, shipped, recorded }) =>
    state === 'pending' && shipped !== undefined ? [{ shipped, recorded }] : [],
  )
}

function missingIndexes(indexes: readonly string[], records: readonly MigrationRecord[]): string[] {
  const recorded = new Set(records.map(({ name }) => name))
  return indexes.filter((index) => !recorded.has(indexRecordName(index)))
}

function chosenIndexes(dialect: Dialect, options: MigrateOptions = {}): string[] {
  const { indexes = [], ...others } = options
  for (const name of Object.keys(others)) {
    throw new InvalidArgumentError(name, 'there is no such option; known is indexes')
  }
  if (!Array.isArray(indexes)) throw new InvalidArgumentError('indexes', 'must be a list of names')
  const known = Object.keys(dialect.migration.indexes)
  const chosen = [...new Set<string>(indexes)]
  for (const index of chosen) {
    if (known.includes(index)) continue
    const list = known.length === 0 ? 'this adapter has none' : `known are ${known.join(', ')}`
    throw new InvalidArgumentError('indexes', `there is no optional index '${index}'; ${list}`)
  }
  return chosen
}

/** The work of the one process whose turn it is. */
class Run<Client> {
  readonly #driver: SqlDriver<Client>
  readonly #dialect: Dialect<Client>
  readonly #set: MigrationSet
  readonly #session: SqlSession<Client>
  readonly #table: string

  constructor(
    driver: SqlDriver<Client>,
    dialect: Dialect<Client>,
    set: MigrationSet,
    session: SqlSession<Client>,
  ) {
    this.#driver = driver
    this.#dialect = dialect
    this.#set = set
    this.#session = session
    this.#table = dialect.table(RECORD_TABLE)
  }

  /** Read anew: another process may have had its turn since the glance. */
  async records(): Promise<MigrationRecord[]> {
    const { migration } = this.#dialect
    const existing = await migration.existing(this.#session, [RECORD_TABLE])
    if (existing.length === 0) {
      await this.#statements(RECORD_TABLE, migration.recordTable)
      return []
    }
    try {
      return await readRecords((...statement) => this.#session.query(...statement), this.#dialect)
    } catch (error) {
      if (this.#driver.classify(error).kind !== 'schema') throw error
      throw foreign([RECORD_TABLE], 'it has other columns than ours', error)
    }
  }

  async refuseForeignTables(records: readonly MigrationRecord[]): Promise<void> {
    const begun = compare(this.#set, records).some(({ recorded }) => recorded !== undefined)
    if (!begun) await this.#refuseExisting(this.#set.tables, 'no migration of ours')
  }

  async apply(migration: Migration, begun: boolean): Promise<void> {
    const name = recordName(this.#set, migration.name)
    if (!begun) {
      await this.#refuseExisting(tablesCreatedBy(migration, this.#set.tables), `no migration '${name}'`)
      // claimed before it runs: where DDL cannot be rolled back, its tables are known as ours after a kill half-way
      await this.#session.query(`insert into ${this.#table} (name, checksum) values ($1, $2)`, [
        name,
        migration.checksum,
      ])
    }
    const started = performance.now()
    await this.#statements(name, migration.sql)
    await this.#session.query(
      `update ${this.#table} set applied_at = ${this.#dialect.now}, duration_ms = $1 where name = $2`,
      [Math.round(performance.now() - started), name],
    )
  }

  async createIndex(index: string): Promise<void> {
    const name = indexRecordName(index)
    const statement = this.#dialect.migration.indexes[index] ?? ''
    const started = performance.now()
    await this.#statements(name, statement)
    await this.#session.query(
      `insert into ${this.#table} (name, checksum, applied_at, duration_ms) values ($1, $2, ${this.#dialect.now}, $3)`,
      [name, hash('sha256', statement), Math.round(performance.now() - started)],
    )
  }

  async #refuseExisting(tables: readonly string[], missingRecord: string): Promise<void> {
    if (tables.length === 0) return
    const existing = await this.#dialect.migration.existing(this.#session, tables)
    if (existing.length > 0) throw foreign(existing, `${this.#table} records ${missingRecord} that made it`)
  }

  async #statements(name: string, sql: string): Promise<void> {
    const { migration } = this.#dialect
    try {
      await migration.apply(this.#session, migration.render(sql))
    } catch (error) {
      const failure = this.#driver.classify(error)
      const passing = ['unreachable', 'lost', 'conflict'].includes(failure.kind)
      if (isEventStoreError(error) || passing) throw error
      throw new MigrationError(
        `The database refused migration '${name}' (${failure.detail}). Remove the cause and call migrate() again: ` +
          'it goes on where it stopped.',
        error,
      )
    }
  }
}

function foreign(tables: readonly string[], why: string, cause?: unknown): MigrationError {
  const names = tables.map((table) => `'${table}'`).join(', ')
  return new MigrationError(
    `The database has a table ${names} already, and ${why}: it belongs to something else. ` +
      'Give the store a schema or a tablePrefix of its own, or move that table away. Nothing was changed.',
    cause,
  )
}
