import { InvalidArgumentError } from '@varve/core'
import type { SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { mysql } from './mysql.js'
import { postgres } from './postgres.js'
import { sqlite } from './sqlite.js'

/** How a column of rows that are handed in as JSON is read. */
export type ColumnType = 'text' | 'longtext' | 'uuid' | 'integer'

export interface RowUpdate {
  readonly table: string
  /** Rows to join with, as `rows` gives them. */
  readonly rows: string
  /** Joins `t`, the table, and `r`, the rows. */
  readonly on: string
  /** Columns and what they become; an expression may speak of `t` and `r`. */
  readonly set: Readonly<Record<string, string>>
  /** Columns of `t` that the update leaves as they are. */
  readonly returning?: readonly string[]
  readonly params: readonly SqlValue[]
}

export interface TakeJobs {
  readonly jobs: string
  /** What is to come back of each, as it is afterwards. */
  readonly columns: readonly string[]
  readonly wanted: readonly { readonly endpointId: string; readonly count: number }[]
  readonly workerId: string
  readonly leaseMs: number
}

/** What the statements of this package need to know of an engine, beside its dialect. */
export interface Syntax {
  /** The clock, the same all through a statement. */
  readonly now: string
  /** `expression`, a time, and so many milliseconds, an expression as well. */
  after(expression: string, milliseconds: string): string
  /** Whole milliseconds from one time to another. */
  between(from: string, to: string): string
  /** A from clause over a JSON array of objects. */
  rows(parameter: string, columns: Readonly<Record<string, ColumnType>>): string
  /** Behind a select: locks what it finds; the second passes over what somebody else has locked. */
  readonly lock: string
  readonly lockFree: string
  readonly lockShared: string
  bool(value: boolean): SqlValue
  /** Inserts what a select gives, and leaves out what violates a unique key. */
  insertNew(table: string, columns: readonly string[], select: string): string
  update(session: SqlSession, update: RowUpdate): Promise<SqlRow[]>
  /** Deletes the rows of these ids of which a condition on columns of `table` holds. */
  remove(table: string, rows: string, condition: string): string
  /** Makes the next due jobs of each endpoint a worker's, at most so many, under a new fence. */
  take(session: SqlSession, take: TakeJobs): Promise<SqlRow[]>
}

const syntaxes: Readonly<Record<string, Syntax>> = { postgres, mysql, sqlite }

export function syntaxOf(dialect: string): Syntax {
  const syntax = syntaxes[dialect]
  if (syntax !== undefined) return syntax
  throw new InvalidArgumentError('store', `webhooks know ${Object.keys(syntaxes).join(', ')}, not ${dialect}`)
}

/** Of a column that is `boolean` where there is such a type, and 0 or 1 elsewhere. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 't' || Number(value) === 1
}
