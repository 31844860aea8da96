import {
  backoffDelay,
  InvalidArgumentError,
  isEventStoreError,
  isStoreUnavailableError,
  MigrationError,
  sleep,
  StoreUnavailableError,
  TransactionConflictError,
} from '@varve/core'
import type { ResolvedStoreOptions } from '@varve/core'
import { TransactionEnded } from './driver.js'
import type { SqlDriver, SqlFailure } from './driver.js'

/** An error of a function that the caller has given, which is to come out as it is. */
export class CallersError extends Error {
  constructor(error: unknown) {
    super("a function of the caller's has failed", { cause: error })
  }
}

// not a conflict, after which the work would be run again: what came before may have been committed
const ENDED_BY_WORK =
  'there is none on its connection: it was never begun, or a statement of the work has ended it, by a commit of its own (as of ' +
  'ALTER or ANALYZE TABLE) or at a deadlock whose error was not passed on. What came before may be committed. Leave such ' +
  'statements out, and let errors of statements out'

/** A failure of the database that is not the caller's, in the store's words; the store's own errors pass unchanged. */
export function toStoreError(driver: Pick<SqlDriver, 'classify'>, error: unknown): unknown {
  if (isEventStoreError(error)) return error
  if (error instanceof CallersError) return error.cause
  if (error instanceof TransactionEnded) return new InvalidArgumentError('transaction', ENDED_BY_WORK)
  const failure = driver.classify(error)
  if (failure.kind === 'conflict') {
    return new TransactionConflictError(
      `The database ended the transaction (${failure.detail}). Nothing was written: run it again.`,
      error,
    )
  }
  // a lost transaction is rolled back; only a commit's answer leaves doubt, and its caller knows
  return unavailable(failure, 'not-applied', [], error)
}

function unavailable(
  failure: SqlFailure,
  outcome: 'not-applied' | 'unknown',
  eventIds: readonly string[],
  cause: unknown,
): Error {
  if (failure.kind === 'schema') {
    return new MigrationError(
      `The tables of the store are missing or older than this code (${failure.detail}). Call store.migrate() first.`,
      cause,
    )
  }
  if (isStoreUnavailableError(cause)) {
    return new StoreUnavailableError(cause.message, { outcome, eventIds, blocker: cause.blocker, cause })
  }
  const what = {
    unreachable: 'The database cannot be reached',
    lost: 'The connection to the database was lost under way',
    conflict: 'The database kept ending the transaction',
    timeout: 'The database did not finish in time',
    unique: 'The database refused the write',
    other: 'The database refused the statement',
  }[failure.kind]
  return new StoreUnavailableError(
    `${what} (${failure.detail}).${consequence(failure.kind, outcome, eventIds)}`,
    {
      outcome,
      eventIds,
      cause,
    },
  )
}

function consequence(
  kind: SqlFailure['kind'],
  outcome: 'not-applied' | 'unknown',
  eventIds: readonly string[],
): string {
  if (outcome === 'unknown') {
    return ' It is not known whether the events were stored: append them again with the same ids.'
  }
  if (eventIds.length === 0) return ''
  return kind === 'other'
    ? ' Nothing was stored: append again when the cause is gone.'
    : ' Nothing was stored: append again when it is back.'
}

/** The error for appends that waited behind one that was given up. */
export function unreachable(error: unknown, eventIds: readonly string[]): StoreUnavailableError {
  const reason = error instanceof Error ? error.message : String(error)
  return new StoreUnavailableError(`An append before this one was given up: ${reason}`, {
    eventIds,
    cause: error,
  })
}

/** The error of what several callers shared, for one of them: with the ids of its own events, and of nobody else's. */
export function ofCaller(error: unknown, eventIds: readonly string[]): unknown {
  if (!isStoreUnavailableError(error)) return error
  const { message, outcome, blocker, cause } = error
  return new StoreUnavailableError(message, { outcome, eventIds, blocker, cause })
}

/** What an attempt is told. */
export interface Attempt {
  /** Whether an earlier attempt may have been stored although its answer was lost. */
  readonly resent: boolean
}

export interface Retrying {
  readonly driver: Pick<SqlDriver, 'classify'>
  readonly options: Pick<ResolvedStoreOptions, 'retry' | 'acquireTimeoutMs'>
  /** Whether it was sent before, and may have been stored. */
  readonly resent?: boolean
  /** Of the events under way, for the error; none for what only reads. */
  readonly eventIds?: () => readonly string[]
  /** Called when the database could not be reached to the end, with the time when the last try began. */
  readonly gaveUp?: (begun: number, error: unknown) => void
}

/**
 * Runs an append, or what may be repeated as it is, until its outcome is known: again after lost connections, deadlocks and
 * the like, within the bounds of `retry`. Errors of the store and violated keys are outcomes too, and pass unchanged. A
 * database that cannot be reached is tried again for no longer than a call may wait for a connection.
 */
export async function retrying<T>(context: Retrying, run: (attempt: Attempt) => Promise<T>): Promise<T> {
  const started = performance.now()
  let { resent = false } = context
  for (let attempt = 0; ; attempt++) {
    const begun = performance.now()
    try {
      return await run({ resent })
    } catch (error) {
      if (error instanceof CallersError) throw error
      if (isEventStoreError(error) && error.code !== 'VARVE_UNAVAILABLE') throw error
      const failure = context.driver.classify(error)
      if (failure.kind === 'unique') throw error
      if (failure.kind === 'lost') resent = true
      const again = failure.kind === 'lost' || failure.kind === 'unreachable' || failure.kind === 'conflict'
      const elapsed = performance.now() - started
      const delay = again ? nextDelay(context.options, failure, attempt, elapsed) : undefined
      if (delay === undefined) {
        const eventIds = context.eventIds?.()
        const outcome = resent && eventIds !== undefined ? 'unknown' : 'not-applied'
        const given = unavailable(failure, outcome, eventIds ?? [], error)
        if (failure.kind === 'unreachable') context.gaveUp?.(begun, given)
        throw given
      }
      await sleep(delay)
    }
  }
}

/** How long to wait before the next try; undefined when there is none. */
function nextDelay(
  { retry, acquireTimeoutMs }: Retrying['options'],
  failure: SqlFailure,
  attempt: number,
  elapsedMs: number,
): number | undefined {
  if (retry === false || attempt + 1 >= retry.attempts) return undefined
  const patience = failure.kind === 'unreachable' && acquireTimeoutMs > 0 ? acquireTimeoutMs : Infinity
  const delay = backoffDelay(retry, attempt)
  return elapsedMs + delay > Math.min(retry.maxElapsedMs, patience) ? undefined : delay
}
