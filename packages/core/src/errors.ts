import type { ExpectedVersion } from './expected-version.js'
import { nearest } from './known-names.js'

/** The code of every error that varve throws; stable, and the same in the ESM and the CommonJS build. */
export type ErrorCode =
  | 'VARVE_CONCURRENCY'
  | 'VARVE_DUPLICATE_EVENT'
  | 'VARVE_INVALID_EVENT'
  | 'VARVE_INVALID_ARGUMENT'
  | 'VARVE_STREAM_ARCHIVED'
  | 'VARVE_STREAM_NOT_FOUND'
  | 'VARVE_TENANT_MISMATCH'
  | 'VARVE_SERIALIZATION'
  | 'VARVE_CHECKSUM'
  | 'VARVE_PARTITION'
  | 'VARVE_MIGRATION'
  | 'VARVE_UNAVAILABLE'
  | 'VARVE_UNDECLARED_STREAM'
  | 'VARVE_UNKNOWN_EVENT_TYPE'
  | 'VARVE_SCHEMA'
  | 'VARVE_TRANSACTION_CONFLICT'
  | 'VARVE_CLOSED'
  | 'VARVE_LEASE_LOST'
  | 'VARVE_CHECKPOINT_AHEAD'
  | 'VARVE_FOREIGN_LOG'
  | 'VARVE_PROJECTION_FAULTED'

/**
 * The root of all errors that varve throws. Tell them apart by `code` or by the guards (`isConcurrencyError` …), not by
 * `instanceof`: two copies of this package in one process have different classes.
 */
export class EventStoreError extends Error {
  readonly code: ErrorCode
  /** Whether doing exactly the same again may succeed. For appends: resend the same event ids. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The stream was not where the writer believed it to be. Nothing was written: read again and decide again. */
export class ConcurrencyError extends EventStoreError {
  readonly tenantId: string
  readonly streamId: string
  /** As it was passed to `append`. */
  readonly expectedVersion: ExpectedVersion
  /** The version found; 0 when the stream does not exist. */
  readonly actualVersion: number

  constructor(details: {
    tenantId: string
    streamId: string
    expectedVersion: ExpectedVersion
    actualVersion: number
  }) {
    const { tenantId, streamId, expectedVersion, actualVersion } = details
    super(
      'VARVE_CONCURRENCY',
      `Stream ${quote(streamId)} of tenant ${quote(tenantId)} is at version ${actualVersion}` +
        `${actualVersion === 0 ? ' (it does not exist)' : ''}, expected ${describeExpected(expectedVersion)}. ` +
        'Nothing was written: load the stream again, decide again, and append with its version.',
    )
    this.tenantId = tenantId
    this.streamId = streamId
    this.expectedVersion = expectedVersion
    this.actualVersion = actualVersion
  }
}

/** An event id is stored already, and the append is not a repetition of the one that stored it. Nothing was written. */
export class DuplicateEventError extends EventStoreError {
  readonly eventId: string

  constructor(eventId: string, detail: string) {
    super(
      'VARVE_DUPLICATE_EVENT',
      `Event id ${eventId} is stored already (${detail}). Nothing was written: ` +
        'resend exactly the same events to repeat an append, or give new events new ids.',
    )
    this.eventId = eventId
  }
}

/** An event breaks a limit of the contract. Found before anything was sent. */
export class InvalidEventError extends EventStoreError {
  /** Where: `events[2].data.a.b`. */
  readonly path: string
  /** What is wrong there. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super('VARVE_INVALID_EVENT', sentence(`Invalid event at ${path}: ${reason}`))
    this.path = path
    this.reason = reason
  }
}

/** An argument or option is out of range, misspelt or contradictory. */
export class InvalidArgumentError extends EventStoreError {
  readonly argument: string

  constructor(argument: string, reason: string, cause?: unknown) {
    super('VARVE_INVALID_ARGUMENT', sentence(`Invalid ${argument}: ${reason}`), { cause })
    this.argument = argument
  }
}

/** The stream is archived and takes no appends until `restoreStream`. */
export class StreamArchivedError extends EventStoreError {
  readonly streamId: string

  constructor(streamId: string) {
    super(
      'VARVE_STREAM_ARCHIVED',
      `Stream ${quote(streamId)} is archived and takes no appends. Call restoreStream(${quote(streamId)}) to open it again.`,
    )
    this.streamId = streamId
  }
}

/** The stream does not exist. */
export class StreamNotFoundError extends EventStoreError {
  readonly streamId: string

  constructor(streamId: string) {
    super('VARVE_STREAM_NOT_FOUND', `Stream ${quote(streamId)} does not exist.`)
    this.streamId = streamId
  }
}

/** A handle that is bound to one tenant was asked for another. */
export class TenantMismatchError extends EventStoreError {
  constructor(bound: string, asked: string) {
    super(
      'VARVE_TENANT_MISMATCH',
      `This handle is bound to tenant ${quote(bound)} and cannot act for ${quote(asked)}. ` +
        'Call forTenant on the store that was opened, not on a bound handle.',
    )
  }
}

/** A stored event cannot be decoded. */
export class SerializationError extends EventStoreError {
  readonly position: number

  constructor(position: number, reason: string, cause?: unknown) {
    super('VARVE_SERIALIZATION', `The event at position ${position} cannot be decoded: ${reason}.`, { cause })
    this.position = position
  }
}

/** A stored event does not match its checksum. */
export class ChecksumMismatchError extends EventStoreError {
  readonly position: number

  constructor(position: number, detail: string) {
    super('VARVE_CHECKSUM', `The event at position ${position} does not match its checksum: ${detail}.`)
    this.position = position
  }
}

/** A partition is missing, still needed, or was dropped. */
export class PartitionError extends EventStoreError {
  constructor(message: string, cause?: unknown) {
    super('VARVE_PARTITION', message, { cause })
  }
}

/** The schema of the database cannot be brought to, or is not at, what this version of varve needs. */
export class MigrationError extends EventStoreError {
  constructor(message: string, cause?: unknown) {
    super('VARVE_MIGRATION', message, { cause })
  }
}

/** Who is in the way: a database session that holds the log's write lock. */
export interface Blocker {
  /** The server's number for the session (process id, connection id); absent for a prepared transaction. */
  readonly pid?: number
  /** How long its transaction has been open. */
  readonly ageMs?: number
  readonly detail: string
}

/**
 * The database could not be reached, or did not answer in the bounded time. `outcome` says what is known of an append:
 * `'not-applied'` nothing was stored; `'unknown'` it may have been. Appending again with the same `eventIds` is always safe.
 */
export class StoreUnavailableError extends EventStoreError {
  readonly outcome: 'not-applied' | 'unknown'
  readonly eventIds: readonly string[]
  // only declared: a field would be there, undefined, when nobody is in the way
  declare readonly blocker?: Blocker

  constructor(
    message: string,
    details: {
      outcome?: 'not-applied' | 'unknown'
      eventIds?: readonly string[]
      blocker?: Blocker | undefined
      cause?: unknown
    } = {},
  ) {
    super('VARVE_UNAVAILABLE', message, { cause: details.cause, retryable: true })
    this.outcome = details.outcome ?? 'not-applied'
    this.eventIds = details.eventIds ?? []
    if (details.blocker !== undefined) this.blocker = details.blocker
  }
}

/** A command wrote to a stream that it had not declared. */
export class UndeclaredStreamError extends EventStoreError {
  readonly streamId: string

  constructor(streamId: string) {
    super(
      'VARVE_UNDECLARED_STREAM',
      `The command wrote to stream ${quote(streamId)}, which it did not declare. Return it from streams(), or read it first.`,
    )
    this.streamId = streamId
  }
}

/** An event of a type that the reader does not know. */
export class UnknownEventTypeError extends EventStoreError {
  readonly type: string

  /** @param detail where it was met, and what to do */
  constructor(type: string, known: readonly string[], detail?: string) {
    const meant = nearest(type, known)
    const hint =
      meant === undefined
        ? `known are ${known.map(quote).join(', ') || 'none'}`
        : `did you mean ${quote(meant)}?`
    const met = detail === undefined ? '' : ` ${detail}`
    super('VARVE_UNKNOWN_EVENT_TYPE', sentence(`Unknown event type ${quote(type)}${met}; ${hint}`))
    this.type = type
  }
}

/** Data that its schema refuses. */
export class SchemaValidationError extends EventStoreError {
  readonly type: string
  readonly issues: readonly { readonly message: string; readonly path?: readonly PropertyKey[] }[]

  constructor(type: string, issues: readonly { message: string; path?: readonly PropertyKey[] }[]) {
    super(
      'VARVE_SCHEMA',
      sentence(
        `The data of ${quote(type)} does not match its schema: ` +
          issues
            .map((issue) => `${(issue.path ?? []).map(String).join('.') || 'data'}: ${issue.message}`)
            .join('; '),
      ),
    )
    this.type = type
    this.issues = issues
  }
}

/** The database ended the transaction (deadlock, serialisation failure). Nothing was written: run it again. */
export class TransactionConflictError extends EventStoreError {
  constructor(message: string, cause?: unknown) {
    super('VARVE_TRANSACTION_CONFLICT', message, { cause, retryable: true })
  }
}

/** The store was closed. */
export class StoreClosedError extends EventStoreError {
  constructor() {
    super('VARVE_CLOSED', 'The store is closed. Open a new one.')
  }
}

/** The right to run a projection went to another process; what was under way was rolled back. */
export class LeaseLostError extends EventStoreError {
  constructor(message: string) {
    super('VARVE_LEASE_LOST', message, { retryable: true })
  }
}

/** A checkpoint lies beyond the end of the log, or remembers another event: the log was restored from a backup. */
export class CheckpointAheadError extends EventStoreError {
  constructor(message: string) {
    super('VARVE_CHECKPOINT_AHEAD', message)
  }
}

/** A checkpoint belongs to another log. */
export class ForeignLogError extends EventStoreError {
  constructor(message: string) {
    super('VARVE_FOREIGN_LOG', message)
  }
}

/** A projection stands still, and will not go on by itself. `cause` is the error that stopped it, where it is known here. */
export class ProjectionFaultedError extends EventStoreError {
  readonly projection: string

  constructor(projection: string, reason: string, cause?: unknown) {
    super('VARVE_PROJECTION_FAULTED', sentence(`Projection ${quote(projection)} stands still: ${reason}`), {
      cause,
    })
    this.projection = projection
  }
}

/** Whether `error` is one of varve's, from whichever copy of the package. */
export function isEventStoreError(error: unknown): error is EventStoreError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('VARVE_') &&
    'retryable' in error
  )
}

const guard =
  <E extends EventStoreError>(code: ErrorCode) =>
  (error: unknown): error is E =>
    isEventStoreError(error) && error.code === code

export const isConcurrencyError = guard<ConcurrencyError>('VARVE_CONCURRENCY')
export const isDuplicateEventError = guard<DuplicateEventError>('VARVE_DUPLICATE_EVENT')
export const isInvalidEventError = guard<InvalidEventError>('VARVE_INVALID_EVENT')
export const isInvalidArgumentError = guard<InvalidArgumentError>('VARVE_INVALID_ARGUMENT')
export const isStreamArchivedError = guard<StreamArchivedError>('VARVE_STREAM_ARCHIVED')
export const isStreamNotFoundError = guard<StreamNotFoundError>('VARVE_STREAM_NOT_FOUND')
export const isTenantMismatchError = guard<TenantMismatchError>('VARVE_TENANT_MISMATCH')
export const isSerializationError = guard<SerializationError>('VARVE_SERIALIZATION')
export const isChecksumMismatchError = guard<ChecksumMismatchError>('VARVE_CHECKSUM')
export const isPartitionError = guard<PartitionError>('VARVE_PARTITION')
export const isMigrationError = guard<MigrationError>('VARVE_MIGRATION')
export const isStoreUnavailableError = guard<StoreUnavailableError>('VARVE_UNAVAILABLE')
export const isUndeclaredStreamError = guard<UndeclaredStreamError>('VARVE_UNDECLARED_STREAM')
export const isUnknownEventTypeError = guard<UnknownEventTypeError>('VARVE_UNKNOWN_EVENT_TYPE')
export const isSchemaValidationError = guard<SchemaValidationError>('VARVE_SCHEMA')
export const isTransactionConflictError = guard<TransactionConflictError>('VARVE_TRANSACTION_CONFLICT')
export const isStoreClosedError = guard<StoreClosedError>('VARVE_CLOSED')
export const isLeaseLostError = guard<LeaseLostError>('VARVE_LEASE_LOST')
export const isCheckpointAheadError = guard<CheckpointAheadError>('VARVE_CHECKPOINT_AHEAD')
export const isForeignLogError = guard<ForeignLogError>('VARVE_FOREIGN_LOG')
export const isProjectionFaultedError = guard<ProjectionFaultedError>('VARVE_PROJECTION_FAULTED')

/** Ends with a full stop, unless it ends with a mark already. */
function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`
}

function quote(text: string): string {
  return `'${text}'`
}

function describeExpected(expected: ExpectedVersion): string {
  return typeof expected === 'number' ? `version ${expected}` : `'${expected}'`
}
