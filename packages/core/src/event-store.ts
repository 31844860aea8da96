import type { NewEvent, RecordedEvent } from './event.js'
import type { ExpectedVersion } from './expected-version.js'
import type { JsonObject } from './json.js'
import type { SnapshotStore } from './snapshot/snapshot-store.js'
import type { ProcessAdmin } from './process/process-admin.js'
import type { ProjectionAdmin } from './projection/projection-admin.js'
import type { SubscribeOptions, Subscription } from './projection/subscription.js'

/** One stream's part of an `appendMany`. With `events: []` it only checks: "I decided on this, it must not have changed". */
export interface StreamWrite {
  streamId: string
  events: readonly NewEvent[]
  /** `'any'` when absent. */
  expectedVersion?: ExpectedVersion | undefined
  /** Fixed by the stream's first append, `'stream'` when absent; another one later is an `InvalidArgumentError`. */
  streamType?: string | undefined
}

export interface AppendOptions {
  /** `'any'` when absent. */
  expectedVersion?: ExpectedVersion | undefined
  /** Fixed by the stream's first append, `'stream'` when absent; another one later is an `InvalidArgumentError`. */
  streamType?: string | undefined
}

export interface AppendResult {
  readonly streamId: string
  /** Of the last event; of the stream for a write that only checked. */
  readonly version: number
  /** Of the last event; 0 for a write that only checked. */
  readonly position: number
  readonly events: readonly RecordedEvent[]
  /** Whether exactly these events had been stored already: nothing was written, the original result is given. */
  readonly duplicate: boolean
}

export type Direction = 'forwards' | 'backwards'

export interface ReadStreamOptions {
  /** Inclusive; 0 means 1. */
  fromVersion?: number | undefined
  /** Inclusive. */
  toVersion?: number | undefined
  /** Turns the order of the range, nothing else. */
  direction?: Direction | undefined
  /** At most so many events; 0 gives none. */
  limit?: number | undefined
}

/** All filters combine by AND; a list means any of it, tags mean all of them. */
export interface EventFilter {
  /** Exact event types, or prefixes ending in `.*`: `money.*` matches `money.deposited`, not `money`. `[]` matches nothing. */
  types?: readonly string[] | undefined
  /** `[]` matches nothing. */
  streamTypes?: readonly string[] | undefined
  /** `[]` matches nothing. */
  streamIds?: readonly string[] | undefined
  /** The event bears all of them; `[]` restricts nothing. */
  tags?: readonly string[] | undefined
  correlationId?: string | undefined
  causationId?: string | undefined
  createdBy?: string | undefined
  /** Inclusive, by `recordedAt`. */
  recordedFrom?: Date | undefined
  /** Exclusive, by `recordedAt`. */
  recordedTo?: Date | undefined
  /** An object, nested if need be, whose leaves (string, number, boolean, null) are all equal at their paths. */
  metadata?: JsonObject | undefined
}

export interface ReadAllOptions extends EventFilter {
  /** A position, exclusive; 0 when absent. */
  after?: number | undefined
  /** A position, inclusive. */
  until?: number | undefined
  /** Turns the order of the range, nothing else. */
  direction?: Direction | undefined
  /** At most so many events, counted after the filters; 0 gives none. */
  limit?: number | undefined
  /**
   * `false` reads what is visible without the guard of section "No event is ever skipped": for looking around, never
   * for resuming from a position. `true` when absent. Backward reads need no guard.
   */
  settled?: boolean | undefined
  /** How long a forward read waits for appends under way before it gives up with `StoreUnavailableError`; 5,000 when absent. */
  waitForSettledMs?: number | undefined
}

/** A lazy read: nothing is asked of the database before it is iterated, and each iteration reads anew, page by page. */
export interface EventRead<Event = RecordedEvent> extends AsyncIterable<Event> {
  toArray(): Promise<Event[]>
  first(): Promise<Event | undefined>
  /** The last in the order of the read. */
  last(): Promise<Event | undefined>
  count(): Promise<number>
}

export interface StreamInfo {
  readonly tenantId: string
  readonly streamId: string
  readonly streamType: string
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly archivedAt?: Date
}

export interface ListStreamsOptions {
  /** `[]` matches nothing. */
  streamTypes?: readonly string[] | undefined
  /** Of the stream id, byte by byte. */
  prefix?: string | undefined
  /** `false` when absent. */
  includeArchived?: boolean | undefined
  /** A stream id, exclusive, in byte order. */
  after?: string | undefined
  limit?: number | undefined
}

export interface StoreStatistics {
  readonly events: number
  readonly streams: number
  /** 0 in an empty log. */
  readonly lastPosition: number
  readonly eventTypes: readonly {
    readonly eventType: string
    readonly count: number
    readonly firstAt: Date
    readonly lastAt: Date
  }[]
  readonly streamTypes: readonly {
    readonly streamType: string
    readonly streams: number
    readonly events: number
    /** Mean of the streams' versions (not of their events'). */
    readonly averageVersion: number
    readonly maxVersion: number
  }[]
  /** Sum of the events' `sizeBytes`. */
  readonly bytes: number
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'down'
  readonly checks: readonly {
    readonly name: string
    readonly status: 'ok' | 'degraded' | 'down'
    readonly detail: string
  }[]
}

export interface VerifyOptions {
  /** A position, exclusive. */
  after?: number | undefined
  /** A position, inclusive. */
  until?: number | undefined
  onProgress?: ((progress: { events: number; position: number }) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface VerifyProblem {
  readonly kind: 'checksum' | 'version-gap' | 'head' | 'duplicate-id' | 'orphan'
  readonly streamId: string
  readonly version?: number
  readonly position?: number
  readonly detail: string
}

export interface VerifyReport {
  readonly ok: boolean
  readonly events: number
  readonly streams: number
  readonly problems: readonly VerifyProblem[]
}

export interface MigrationState {
  readonly name: string
  readonly checksum: string
  readonly appliedAt?: Date
  /** `changed`: applied from another text than the one shipped; `unknown`: applied by a newer version of varve. */
  readonly state: 'applied' | 'pending' | 'changed' | 'unknown'
}

export interface MigrateOptions {
  /** Optional, heavier indexes to create beyond the default ones; which there are is the adapter's to say. */
  indexes?: readonly string[] | undefined
}

/** Reads that may cross tenants. */
export interface EventReader {
  /**
   * Reads the log in the order of positions. Forwards it never passes a position below which an append under way could
   * still appear, and covers at least all that was committed when it began.
   *
   * @throws StoreUnavailableError when an append under way keeps it waiting longer than `waitForSettledMs`.
   * @throws InvalidArgumentError for an unknown option or one out of range.
   */
  readAll(options?: ReadAllOptions): EventRead
  /** Streams by stream id, in byte order. */
  listStreams(options?: ListStreamsOptions): AsyncIterable<StreamInfo>
  /** The highest visible position, 0 in an empty log. No point to resume from: appends under way may appear below it. */
  lastPosition(): Promise<number>
  /** Everything up to here has been decided: safe to resume from. Of the whole log, whatever the tenant. */
  settledPosition(): Promise<number>
  statistics(): Promise<StoreStatistics>
  /** Re-reads the events, recomputes their checksums, and compares versions and heads. */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Follows the log: first what is there, then what is appended, wherever that happens. Ends with a `break`, quietly when its
   * signal aborts, and with StoreClosedError when the store is closed.
   *
   * @throws InvalidArgumentError for an unknown option or one out of range.
   *
   * @example
   * ```ts
   * import type { EventStore } from '@varve/core'
   *
   * export async function print(store: EventStore, signal: AbortSignal): Promise<void> {
   *   for await (const event of store.subscribe({ after: 'end', types: ['money.*'], signal })) {
   *     console.log(event.position, event.type)
   *   }
   * }
   * ```
   */
  subscribe(options?: SubscribeOptions): Subscription
}

/** What works inside a transaction; the driver's own client takes part in it. */
export interface StoreTransaction<Client = unknown> {
  readonly tenantId: string
  /** The driver's own client, in this transaction: what it writes commits or rolls back with the events. */
  readonly client: Client
  /** As `EventStore.append`; a failure undoes just this append and leaves the transaction usable. */
  append(streamId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>
  appendMany(writes: readonly StreamWrite[]): Promise<AppendResult[]>
  /** Sees what this transaction has appended. */
  readStream(streamId: string, options?: ReadStreamOptions): EventRead
  getStream(streamId: string): Promise<StreamInfo | undefined>
  /** One event of this tenant by its id; sees what this transaction has appended. */
  getEvent(id: string): Promise<RecordedEvent | undefined>
  /** As `EventStore.snapshots`; a failure leaves the transaction usable. */
  readonly snapshots: SnapshotStore
}

export interface TransactionOptions {
  /** How often the whole work runs again after a deadlock or serialisation failure; 0 when absent. */
  retries?: number | undefined
}

/** An event store, bound to one tenant. */
export interface EventStore<Client = unknown> extends EventReader, AsyncDisposable {
  readonly tenantId: string

  /**
   * The same store bound to another tenant, sharing its connections.
   *
   * @throws TenantMismatchError on a handle that `forTenant` made, when the tenant is another one.
   */
  forTenant(tenantId: string): EventStore<Client>

  /**
   * Reads across all tenants; for projections and operations.
   *
   * @throws InvalidArgumentError on a handle that `forTenant` made.
   */
  allTenants(): EventReader

  /**
   * Appends events to one stream, all or none, with consecutive versions and increasing positions.
   * Appends to one stream from one process apply in the order of the calls. Repeating an append whose events carry the
   * same ids returns the original result with `duplicate: true`.
   *
   * @throws ConcurrencyError when the stream is not at `expectedVersion`; nothing was written.
   * @throws DuplicateEventError when an id is stored already and this is no repetition.
   * @throws InvalidEventError before anything is sent, for events beyond the limits.
   * @throws InvalidArgumentError for another stream type than the stream's, or unknown options.
   * @throws StreamArchivedError when the stream is archived.
   * @throws StoreUnavailableError when the outcome could not be learned in time; resend the same ids.
   *
   * @example
   * ```ts
   * import type { EventStore } from '@varve/core'
   *
   * export async function deposit(store: EventStore, account: string, version: number): Promise<number> {
   *   const result = await store.append(
   *     account,
   *     [{ type: 'money.deposited', data: { amount: '250.00' } }],
   *     { expectedVersion: version, streamType: 'account' },
   *   )
   *   return result.version
   * }
   * ```
   */
  append(streamId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>

  /**
   * Appends to several streams in one transaction, all or nothing, each with its own expectation; positions follow the
   * order of the writes. A write without events only checks its stream.
   *
   * @throws as `append`; InvalidArgumentError when a stream is named twice.
   */
  appendMany(writes: readonly StreamWrite[]): Promise<AppendResult[]>

  /** Reads one stream in the order of versions; a stream that does not exist gives no events. */
  readStream(streamId: string, options?: ReadStreamOptions): EventRead

  /** One event of this tenant by its id. */
  getEvent(id: string): Promise<RecordedEvent | undefined>

  getStream(streamId: string): Promise<StreamInfo | undefined>

  /** What streams came to, so that they need not be folded again. */
  readonly snapshots: SnapshotStore

  /**
   * Closes a stream to appends and leaves it out of `listStreams`; its events stay. Twice is no error.
   *
   * @throws StreamNotFoundError
   */
  archiveStream(streamId: string): Promise<void>

  /** @throws StreamNotFoundError */
  restoreStream(streamId: string): Promise<void>

  /**
   * Runs `work` in one database transaction; an error thrown by it comes back unchanged after the rollback. A transaction
   * held open after an append delays every forward reader for as long as it is open: append last and commit soon.
   *
   * @throws TransactionConflictError on a deadlock or serialisation failure, after `retries`.
   * @throws InvalidArgumentError when a statement of the work has failed or ended the transaction, and its error was not
   * passed on; MySQL may have committed what came before by then (as ALTER TABLE does).
   */
  transaction<T>(work: (tx: StoreTransaction<Client>) => Promise<T>, options?: TransactionOptions): Promise<T>

  /**
   * Joins a transaction that the caller began on a client of the driver's own. Committing it stays with the caller. Calls on
   * one client take turns, through however many handles.
   */
  using(client: Client): StoreTransaction<Client>

  /**
   * Opens the door of the append-only tables for one transaction: in it, and only there, events may be deleted or moved.
   * For retention and repair; nothing checks what `work` does.
   */
  maintenance<T>(work: (tx: StoreTransaction<Client>) => Promise<T>): Promise<T>

  /** Read models that are kept up to date from the log, exactly once. */
  readonly projections: ProjectionAdmin<Client>

  /** What follows from events, over several streams and over time. */
  readonly processes: ProcessAdmin

  /**
   * Brings the schema of the database to what this version needs; safe to call from any number of processes at once.
   *
   * @throws MigrationError when the database is newer than this code, a shipped migration was changed, or a foreign table
   * bears one of the names.
   */
  migrate(options?: MigrateOptions): Promise<void>

  migrations(): Promise<MigrationState[]>

  health(): Promise<HealthReport>

  /**
   * Waits for what is under way, then ends the connections that the store opened itself. Every later call rejects with
   * StoreClosedError.
   *
   * @throws InvalidArgumentError when called from inside a transaction of this store, for whose end it would have to wait.
   */
  close(): Promise<void>

  /** `close()`, for `await using store = …`. */
  [Symbol.asyncDispose](): Promise<void>
}
