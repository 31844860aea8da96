import type { SqlRow, SqlValue } from '@varve/sql'
import type { Connection, QueryOptions, ResultSetHeader } from 'mysql2'
import { DeadlineError, numberOf } from './classify.js'
import { inline } from './literals.js'
import { positional } from './placeholders.js'

/** A connection of mysql2's own kind, with callbacks; of whichever copy, pooled or on its own. */
export type Core = Connection

export interface RunSettings {
  readonly prepared: boolean
  /** Whether statements go out, or have gone out, with their parameters in them, which takes more than twice the bytes. */
  inlined: boolean
  /** Of one statement, by the client's own clock; 0 is none. */
  readonly deadlineMs: number
}

export interface Result<T> {
  readonly rows: T[]
  /** The first of the positions that the statement made. */
  readonly insertId: number
  /** How many rows a statement that writes has found. */
  readonly found: number
  /** Whether a transaction was open afterwards; of what gives no rows. */
  readonly inTransaction: boolean
}

const IN_TRANSACTION = 1

// the limit of prepared statements is reached, or this one cannot be prepared
const unprepared = new Set([1461, 1295])

/** Runs one statement. Rows are taken as they arrive, as arrays; times come as text. */
export async function run<T = SqlRow>(
  core: Core,
  settings: RunSettings,
  text: string,
  params: readonly SqlValue[],
  map?: (row: SqlRow) => T,
): Promise<Result<T>> {
  const { text: sql, order } = positional(text)
  // no more than the text has: MariaDB would take the bytes of others for part of the last one
  const given = order.map((index) => params[index] ?? null)
  if (!settings.prepared) return send(core, settings.deadlineMs, 'query', inline(sql, given), [], map)
  try {
    return await send(core, settings.deadlineMs, 'execute', sql, given.map(bound), map)
  } catch (error) {
    if (!unprepared.has(numberOf(error) ?? 0)) throw error
    settings.inlined = true
    return send(core, settings.deadlineMs, 'query', inline(sql, given), [], map)
  }
}

/** Runs text as it is. */
export function runText(core: Core, deadlineMs: number, sql: string): Promise<Result<SqlRow>> {
  return send(core, deadlineMs, 'query', sql, [], undefined)
}

/** Numbers go as text, which the server takes for whatever it needs; as numbers they would be doubles, which LIMIT refuses. */
function bound(value: SqlValue): string | null | Buffer {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
}

function send<T>(
  core: Core,
  deadlineMs: number,
  how: 'query' | 'execute',
  sql: string,
  values: (string | null | Buffer)[],
  map: ((row: SqlRow) => T) | undefined,
): Promise<Result<T>> {
  return new Promise((resolve, reject) => {
    const rows: T[] = []
    let insertId = 0
    let found = 0
    let status = 0
    let failure: unknown
    let timer: NodeJS.Timeout | undefined

    const settle = (): void => {
      clearTimeout(timer)
      core.removeListener('error', broken)
    }
    // a connection that breaks tells its commands nothing: they have no callback
    const broken = (error: Error): void => {
      settle()
      reject(error)
    }
    core.on('error', broken)
    if (deadlineMs > 0) {
      timer = setTimeout(() => {
        broken(new DeadlineError(deadlineMs))
        destroy(core)
      }, deadlineMs)
    }
    const command = core[how](options(core, how, sql, values))
    command.on('result', (row: unknown) => {
      if (!Array.isArray(row)) {
        const header = row as ResultSetHeader | null
        insertId = header?.insertId ?? 0
        found = header?.affectedRows ?? 0
        status = header?.serverStatus ?? 0
      } else if (failure === undefined) {
        try {
          rows.push(map === undefined ? (row as T) : map(row))
        } catch (error) {
          failure = error ?? new Error('a row could not be read')
        }
      }
    })
    command.on('error', (error: Error & { sql?: string }) => {
      // with the parameters in it, it would carry data of events into logs
      delete error.sql
      failure = error
    })
    command.on('end', () => {
      settle()
      const inTransaction = (status & IN_TRANSACTION) !== 0
      if (failure === undefined) resolve({ rows, insertId, found, inTransaction })
      else reject(failure)
    })
  })
}

/** Whatever the settings of the caller's pool are. */
function options(core: Core, how: 'query' | 'execute', sql: string, values: unknown[]): QueryOptions {
  const own: unknown = core.config.typeCast
  const all: QueryOptions & { dateStrings: boolean } = {
    sql,
    ...(how === 'execute' && { values }),
    rowsAsArray: true,
    dateStrings: true,
    nestTables: false,
    namedPlaceholders: false,
    typeCast: typeof own === 'function' ? (_, next) => next() : true,
  }
  return all
}

/** What a promise connection wraps; a callback connection is that itself. */
export function coreOf(client: unknown): Core {
  return (client as { connection?: Core }).connection ?? (client as Core)
}

/** Ends a connection whose server may never answer again. */
export function destroy(core: Core): void {
  core.destroy()
  const { stream } = core as Core & { stream?: { destroy?: () => void } }
  stream?.destroy?.()
}
