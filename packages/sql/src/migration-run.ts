import { hash } from 'node:crypto'
import { isEventStoreError, MigrationError } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'
import type { SqlDriver, SqlSession } from './driver.js'
import { compare, readRecords } from './migration-records.js'
import type { MigrationRecord } from './migration-records.js'
import { indexRecordName, RECORD_TABLE, recordName, tablesCreatedBy } from './migration-set.js'
import type { MigrationSet } from './migration-set.js'

/** The work of the one process whose turn it is. */
export class MigrationRun<Client> {
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

  /** Gives the records, read anew: another process may have had its turn since the glance. Changes nothing before it refuses. */
  async begin(): Promise<MigrationRecord[]> {
    const { migration } = this.#dialect
    const recorded = (await migration.existing(this.#session, [RECORD_TABLE])).length > 0
    const records = recorded ? await this.#records() : []
    const begun = compare(this.#set, records).some((compared) => compared.recorded !== undefined)
    if (!begun) await this.#refuseExisting(this.#set.tables, 'no migration of ours')
    if (!recorded) await this.#statements(RECORD_TABLE, migration.recordTable)
    return records
  }

  async #records(): Promise<MigrationRecord[]> {
    try {
      return await readRecords((...statement) => this.#session.query(...statement), this.#dialect)
    } catch (error) {
      if (this.#driver.classify(error).kind !== 'schema') throw error
      throw foreign([RECORD_TABLE], 'it has other columns than ours', error)
    }
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
