import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { Dialect, Migration } from '../src/dialect.js'
import type { SqlDriver, SqlFailure, SqlRow, SqlSession, SqlValue } from '../src/driver.js'

export interface Scratch {
  readonly driver: SqlDriver<DatabaseSync>
  readonly dialect: Dialect<DatabaseSync>
  readonly database: DatabaseSync
  /** Every statement that went out, in order. */
  readonly statements: string[]
  /** How often `exclusively` was entered. */
  locks: number
  tables(): string[]
  records(): unknown[]
}

export interface ScratchOptions {
  readonly files?: readonly Migration[]
  readonly tables?: readonly string[]
  readonly indexes?: Readonly<Record<string, string>>
  /** `false`: an engine whose DDL commits by itself. */
  readonly transactionalDdl?: boolean
  /** Called before each statement of a migration; throwing there is a kill. */
  readonly beforeStatement?: (statement: string) => void
  /** Taken over from another scratch: the same database, other code. */
  readonly database?: DatabaseSync
}

/** A migration as the build makes it from a file. */
export function migration(name: string, sql: string): Migration {
  return { name, checksum: hash('sha256', sql), sql }
}

/** The seams over node's own SQLite, as far as migrations need them. */
export function scratch(options: ScratchOptions = {}): Scratch {
  const { files = [], tables = [], indexes = {}, transactionalDdl = true, beforeStatement } = options
  const database = options.database ?? new DatabaseSync(':memory:')
  const statements: string[] = []

  const run = <T>(text: string, params: readonly SqlValue[], map: (row: SqlRow) => T): Promise<T[]> => {
    statements.push(text)
    return new Promise((resolve) => {
      const statement = database.prepare(text.replaceAll(/\$(\d+)/g, '?$1'))
      statement.setReturnArrays(true)
      resolve((statement.all(...params) as unknown as SqlRow[]).map((row) => map(row)))
    })
  }
  const query: SqlSession['query'] = <T>(
    text: string,
    params: readonly SqlValue[] = [],
    map: (row: SqlRow) => T = (row) => row as T,
  ) => run(text, params, map)
  const session: SqlSession<DatabaseSync> = {
    client: database,
    query,
    execute: async (text, params = []) => (await query(text, params)).length,
    script: async (text) => database.exec(text),
  }

  let turn: Promise<unknown> = Promise.resolve()
  const result: Scratch = {
    database,
    statements,
    locks: 0,
    driver: { query, classify } as unknown as SqlDriver<DatabaseSync>,
    dialect: {
      name: 'sqlite',
      table: (name: string) => `"${name}"`,
      time: (expression: string) => expression,
      now: `'2024-01-01T00:00:00.000Z'`,
      patiently: <T>(_: unknown, work: (one: SqlSession<DatabaseSync>) => Promise<T>) => work(session),
      decode: { number: Number, time: (value: unknown) => new Date(value as string) },
      migration: {
        files,
        tables,
        indexes,
        recordTable:
          'create table {{varve_migrations}} (name text primary key, checksum text not null, applied_at text, duration_ms integer)',
        render: (sql: string) => sql.replaceAll(/\{\{(\w+)\}\}/g, '"$1"'),
        existing: async (_: SqlSession, names: readonly string[]) =>
          names.filter((name) => tableNames(database).includes(name)),
        async apply(_: SqlSession, sql: string) {
          for (const statement of sql.split(';').filter((part) => part.trim() !== '')) {
            beforeStatement?.(statement)
            await Promise.resolve() // lets others in between, so that only the lock keeps them apart
            database.exec(statement)
          }
        },
        exclusively<T>(_: unknown, work: (session: SqlSession<DatabaseSync>) => Promise<T>): Promise<T> {
          const mine = turn.then(async () => {
            result.locks++
            if (transactionalDdl) database.exec('begin immediate')
            try {
              const value = await work(session)
              if (transactionalDdl) database.exec('commit')
              return value
            } catch (error) {
              if (transactionalDdl) database.exec('rollback')
              throw error
            }
          })
          turn = mine.catch(() => undefined)
          return mine
        },
      },
    } as unknown as Dialect<DatabaseSync>,
    tables: () => tableNames(database),
    records: () =>
      database
        .prepare('select name, checksum, applied_at from varve_migrations order by name')
        .all()
        .map((row) => ({ ...row })),
  }
  return result
}

function tableNames(database: DatabaseSync): string[] {
  const rows = database.prepare("select name from sqlite_master where type = 'table' order by name").all()
  return rows.map(({ name }) => String(name))
}

function classify(error: unknown): SqlFailure {
  const detail = error instanceof Error ? error.message : String(error)
  return { kind: /no such (table|column)/.test(detail) ? 'schema' : 'other', detail }
}
