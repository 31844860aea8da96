import { TransactionEnded } from '@varve/sql'
import type { SqlFailure } from '@varve/sql'

/** No connection could be had, so nothing was sent. */
export class AcquireError extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'AcquireError'
  }
}

/** A statement did not answer in time; its connection was ended. */
export class DeadlineError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`)
    this.name = 'DeadlineError'
  }
}

const lockTimeout = 'conflict'

// by number: mysql2 knows MySQL's names only, and MariaDB has given some of the numbers to other errors
const kinds: Readonly<Record<number, SqlFailure['kind']>> = {
  1062: 'unique',
  1586: 'unique', // with the name of the key
  1205: lockTimeout,
  3572: lockTimeout, // nowait, on MySQL
  1213: 'conflict', // deadlock
  1020: 'conflict', // changed since it was read, on MariaDB with innodb_snapshot_isolation
  1412: 'conflict', // the table's definition has changed
  1615: 'conflict', // the same, found by a prepared statement
  1637: 'conflict', // too many transactions at once
  3101: 'conflict', // group replication rolled it back
  1317: 'conflict', // kill query
  3024: 'timeout', // max_execution_time
  1969: 'timeout', // max_statement_time, on MariaDB
  1146: 'schema', // no such table
  1054: 'schema', // no such column
  1040: 'unreachable', // too many connections
  1203: 'unreachable', // … of this user
  1226: 'unreachable', // … of this account's
  1290: 'unreachable', // read-only, as after a failover
  1792: 'unreachable',
  1836: 'unreachable',
  1053: 'lost', // the server is shutting down
  1152: 'lost', // aborted connection
  1158: 'lost',
  1159: 'lost',
  1160: 'lost',
  1161: 'lost',
  1927: 'lost', // killed, on MariaDB
  3169: 'lost', // killed, on MySQL
  4031: 'lost', // was idle for too long
}

// answers to a connection attempt that waiting does not change: who one is, and which database it is to be
const refusals = new Set([1044, 1045, 1049, 1698, 1130, 3118, 3159])

const lostCodes = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'EHOSTUNREACH',
])

const hints: Readonly<Record<number, string>> = {
  1205: 'another transaction that has appended is still open; append last, and commit soon',
  1290: 'the server is read-only',
  1792: 'the transaction is read-only',
  1836: 'the server is read-only',
}

/** MySQL's, MariaDB's and mysql2's errors in the store's words. */
export function classify(error: unknown): SqlFailure {
  if (!(error instanceof Error)) return { kind: 'other', detail: String(error) }
  if (error instanceof DeadlineError) return { kind: 'lost', detail: error.message }
  if (error instanceof TransactionEnded) return { kind: 'conflict', detail: error.message }
  if (error instanceof AcquireError) {
    const refused = refusals.has(numberOf(error.cause) ?? 0)
    return { kind: refused ? 'other' : 'unreachable', detail: detailOf(error.cause) }
  }
  return { kind: kindOf(error), detail: detailOf(error) }
}

// after a packet that is too large the server hangs up
const PACKET_TOO_LARGE = 1153

/** Whether a connection is of no use any more after this error. */
export function isBroken(error: unknown): boolean {
  if (error instanceof DeadlineError) return true
  if (!(error instanceof Error)) return false
  if (numberOf(error) === PACKET_TOO_LARGE) return true
  // one to a server that has become read-only is given up, so that the next one may find the new primary
  return kindOf(error) === 'lost' || kindOf(error) === 'unreachable'
}

/** The server's number for an error. */
export function numberOf(error: unknown): number | undefined {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0
    ? error.errno
    : undefined
}

function kindOf(error: Error): SqlFailure['kind'] {
  const number = numberOf(error)
  if (number !== undefined) return kinds[number] ?? 'other'
  const code = 'code' in error ? error.code : undefined
  if (typeof code === 'string' && lostCodes.has(code)) return 'lost'
  return 'fatal' in error && error.fatal === true ? 'lost' : 'other'
}

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const number = numberOf(error)
  const hint = number === undefined ? undefined : hints[number]
  // an AggregateError of several addresses has an empty message
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const message = `${error.message || code}${hint === undefined ? '' : `: ${hint}`}`
  return number === undefined ? message : `${message} [${number}]`
}
