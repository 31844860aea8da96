import type { JsonValue } from '../json.js'

/** What a stream came to at one of its versions: folded once, so that it need not be folded again. */
export interface Snapshot {
  readonly tenantId: string
  readonly streamId: string
  /** What was folded: a stream may have snapshots of several kinds. */
  readonly snapshotType: string
  /** Of the last event that is in it. */
  readonly version: number
  /** Of the shape of `state`, from 1 on. */
  readonly schemaVersion: number
  readonly state: JsonValue
  /** By the database's clock. */
  readonly createdAt: Date
}

export interface NewSnapshot {
  /** Of the last event that is in it; from 1 to the version of the stream. */
  version: number
  /** JSON only, at most `maxAppendBytes` of it; comes back deep-equal. */
  state: JsonValue
  /** 1–255 UTF-8 bytes; `'state'` when absent. */
  snapshotType?: string | undefined
  /** 1 when absent. */
  schemaVersion?: number | undefined
}

export interface SaveSnapshotOptions {
  /** Keeps so many newest snapshots of this type in the stream, and deletes older ones; all are kept when absent. */
  keep?: number | undefined
}

export interface SnapshotKind {
  /** `'state'` when absent. */
  snapshotType?: string | undefined
}

/** Which snapshot a reader can use. */
export interface SnapshotQuery extends SnapshotKind {
  /** Only those of this schema version; any when absent. */
  schemaVersion?: number | undefined
}

export interface ListSnapshotsOptions {
  /** All types when absent. */
  snapshotType?: string | undefined
  /** At most so many; 0 gives none. */
  limit?: number | undefined
}

export interface DeleteSnapshotsOptions {
  /** All types when absent. */
  snapshotType?: string | undefined
  /** Only the ones at this version. */
  version?: number | undefined
}

export interface PruneSnapshotsOptions {
  /** How many newest ones of each type a stream keeps; 5 when absent, 0 deletes all. */
  keep?: number | undefined
  /** Only those of this stream. */
  streamId?: string | undefined
  /** Only those of this type. */
  snapshotType?: string | undefined
  /** Only those that were saved before, by the database's clock. */
  olderThan?: Date | undefined
}

export interface CountSnapshotsOptions {
  streamId?: string | undefined
  snapshotType?: string | undefined
}

export interface SnapshotCoverageOptions extends SnapshotKind {
  /** Streams with more than so many events since their latest snapshot; 100 when absent. */
  moreThan?: number | undefined
  /** `[]` matches nothing. */
  streamTypes?: readonly string[] | undefined
  /** At most so many; 1,000 when absent. */
  limit?: number | undefined
}

/** A stream that is long to load. */
export interface SnapshotCoverage {
  readonly streamId: string
  readonly streamType: string
  readonly version: number
  /** Of its latest snapshot; 0 when it has none. */
  readonly snapshotVersion: number
  readonly eventsSinceSnapshot: number
}

/** The snapshots of one tenant. They are disposable: whatever is deleted here, the events still say. */
export interface SnapshotStore {
  /** After how many events a repository takes a snapshot when it is not told; by the store's preset. */
  readonly every: number

  /**
   * Saves a snapshot. One that is there at the same version is replaced, unless it has a higher schema version.
   *
   * @returns whether it was saved: an older one is never put beside a newer one of the same or a higher schema version.
   * @throws InvalidArgumentError for a version that the stream does not have, a state that is no JSON or too large.
   * @throws StreamNotFoundError
   *
   * @example
   * ```ts
   * import type { EventStore } from '@varve/core'
   *
   * export async function remember(store: EventStore, account: string, balance: number, version: number) {
   *   await store.snapshots.save(account, { version, state: { balance } }, { keep: 5 })
   *   return store.snapshots.latest(account)
   * }
   * ```
   */
  save(streamId: string, snapshot: NewSnapshot, options?: SaveSnapshotOptions): Promise<boolean>
  /** The one with the highest version. Snapshots beyond the end of their stream are never given. */
  latest(streamId: string, query?: SnapshotQuery): Promise<Snapshot | undefined>
  /** The one with the highest version up to `version`, inclusive. */
  atOrBefore(streamId: string, version: number, query?: SnapshotQuery): Promise<Snapshot | undefined>
  /** Newest first. */
  list(streamId: string, options?: ListSnapshotsOptions): Promise<Snapshot[]>
  /** Resolves to how many there were. */
  delete(streamId: string, options?: DeleteSnapshotsOptions): Promise<number>
  /** Deletes all but the newest of each stream and type. Resolves to how many there were. */
  prune(options?: PruneSnapshotsOptions): Promise<number>
  count(options?: CountSnapshotsOptions): Promise<number>
  /** Streams that are long to load, the longest first; archived ones are left out. */
  coverage(options?: SnapshotCoverageOptions): Promise<SnapshotCoverage[]>
}
