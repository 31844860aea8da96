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

const kinds: Readonly<Record<string, SqlFailure['kind']>> = {
  '23505': 'unique',
  '40001': 'conflict', // serialization_failure
  '40P01': 'conflict', // deadlock_detected
  '55P03': 'conflict', // lock_not_available
  '26000': 'conflict', // the pooler has no such prepared statement: the driver stops preparing
  '42P05': 'conflict', // … or has it already
  '57014': 'timeout', // query_canceled
  '42P01': 'schema', // undefined_table
  '42703': 'schema', // undefined_column
  '42883': 'schema', // undefined_function
  '3F000': 'schema', // invalid_schema_name
  '57P01': 'lost', // admin_shutdown
  '57P02': 'lost', // crash_shutdown
  '57P05': 'lost', // idle_session_timeout
  '25P03': 'lost', // idle_in_transaction_session_timeout
  '25P04': 'lost', // transaction_timeout
  '57P03': 'unreachable', // cannot_connect_now
  '53300': 'unreachable', // too_many_connections
  '25006': 'unreachable', // read_only_sql_transaction, as after a failover: nothing was written
  '08001': 'unreachable',
  '08004': 'unreachable',
  '08P01': 'lost',
  '08000': 'lost',
  '08003': 'lost',
  '08006': 'lost',
  '08007': 'lost',
}

// answers to a connection attempt that waiting does not change
const refusals = new Set(['28000', '28P01', '3D000', '42501'])

const lostCodes = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'ENETDOWN',
  'ENETRESET',
  'EHOSTUNREACH',
])

/** Postgres' and pg's errors in the store's words. */
export function classify(error: unknown): SqlFailure {
  if (!(error instanceof Error)) return { kind: 'other', detail: String(error) }
  if (error instanceof AcquireError) return acquireFailure(error)
  const code = codeOf(error)
  // a plan cached before a migration; the driver has given its connection up
  if (code === '0A000' && error.message.includes('cached plan'))
    return { kind: 'conflict', detail: error.message }
  // a row routed to the DEFAULT partition at the moment when its own was attached; a constraint of the table has a name
  if (code === '23514' && !('constraint' in error && error.constraint !== undefined))
    return { kind: 'conflict', detail: detailOf(error, code) }
  const kind = code === undefined ? undefined : kinds[code]
  if (kind !== undefined) return { kind, detail: detailOf(error, code) }
  if (isBroken(error)) return { kind: 'lost', detail: error.message }
  return { kind: 'other', detail: detailOf(error, code) }
}

/** Whether a statement waited for somebody's lock for longer than it may. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03'
}

/** Whether a statement got no answer in time, by the store's clock or by that of a pool with a `query_timeout`. */
export function isSilence(error: unknown): boolean {
  return error instanceof DeadlineError || (error instanceof Error && error.message === 'Query read timeout')
}

/** Whether the server, or a pooler before it, does not know a statement that was prepared, or knows another one. */
export function isForgotten(error: unknown): boolean {
  const code = codeOf(error)
  return code === '26000' || code === '42P05'
}

/** Whether a connection is of no use any more after this error. */
export function isBroken(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  if (code !== undefined && (lostCodes.has(code) || kinds[code] === 'lost')) return true
  if (isSilence(error) || isForgotten(error) || code === '0A000') return true
  // a primary that has become a standby: the next connection may find the new one
  if (code === '25006') return true
  return /^(Connection terminated|Client has encountered a connection error|Client was closed)/.test(
    error.message,
  )
}

function acquireFailure(error: AcquireError): SqlFailure {
  const code = codeOf(error.cause)
  const kind = code !== undefined && refusals.has(code) ? 'other' : 'unreachable'
  return { kind, detail: detailOf(error, code) }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function detailOf(error: Error, code: string | undefined): string {
  // an AggregateError of several addresses has an empty message
  const message = error.message === '' && error.cause instanceof Error ? error.cause.message : error.message
  return code === undefined || message.includes(code)
    ? message || error.name
    : `${message || error.name} [${code}]`
}
