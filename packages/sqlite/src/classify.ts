import type { SqlFailure } from '@varve/sql'
import { isStoreUnavailableError } from '@varve/core'

const primary: Readonly<Record<string, SqlFailure['kind']>> = {
  SQLITE_BUSY: 'conflict', // another connection writes; what the store waits for itself ends as StoreUnavailableError
  SQLITE_LOCKED: 'conflict',
  SQLITE_SCHEMA: 'conflict', // the schema changed under the statement
  SQLITE_CANTOPEN: 'unreachable',
}

const extended: Readonly<Record<string, SqlFailure['kind']>> = {
  SQLITE_CONSTRAINT_UNIQUE: 'unique',
  SQLITE_CONSTRAINT_PRIMARYKEY: 'unique',
  SQLITE_CONSTRAINT_ROWID: 'unique',
}

const explanations: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'the disk or the database is full',
  SQLITE_IOERR: 'the operating system could not read or write the database file',
  SQLITE_CORRUPT: 'the database file is damaged; restore it from a backup',
  SQLITE_NOTADB: 'the file is no SQLite database, or is encrypted',
  SQLITE_READONLY: 'the database or its folder is read-only',
  SQLITE_CANTOPEN: 'the database file cannot be opened',
  SQLITE_NOMEM: 'out of memory',
  SQLITE_TOOBIG: 'a value is larger than SQLite stores',
}

// the trigger that keeps INSERT OR REPLACE from replacing looks before the unique keys do
const STORED_ALREADY = 'varve: this event is stored already'

/** SQLite's and better-sqlite3's errors in the store's words. */
export function classify(error: unknown): SqlFailure {
  if (isStoreUnavailableError(error)) return { kind: 'unreachable', detail: error.message }
  const code = sqliteCode(error)
  if (code === undefined)
    return { kind: 'other', detail: error instanceof Error ? error.message : String(error) }
  const { message } = error as Error
  const main = code.split('_').slice(0, 2).join('_')
  const explanation = explanations[main]
  const detail = `${explanation === undefined ? message : `${explanation}: ${message}`} [${code}]`
  return { kind: kindOf(code, main, message), detail }
}

function kindOf(code: string, main: string, message: string): SqlFailure['kind'] {
  if (code === 'SQLITE_CONSTRAINT_TRIGGER' && message.startsWith(STORED_ALREADY)) return 'unique'
  // SQLite has no code of its own for what does not exist
  if (code === 'SQLITE_ERROR' && /^no such (table|column)|has no column named/.test(message)) return 'schema'
  return extended[code] ?? primary[main] ?? 'other'
}

/** Whether somebody else is in the way for now: another connection, or the caller's own iterator on this one. */
export function isBusy(error: unknown): boolean {
  if (error instanceof TypeError) return error.message.includes('busy executing a query')
  const code = sqliteCode(error)
  return code === 'SQLITE_LOCKED' || (code?.startsWith('SQLITE_BUSY') ?? false)
}

/** By its code, as the error may come from another copy of better-sqlite3 than ours. */
function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code.startsWith('SQLITE_') ? error.code : undefined
}
