import { InvalidArgumentError } from '../errors.js'
import { copyOptions, namesOf, optionalFunction, optionalName, wholeNumber } from '../option-values.js'
import { DEFAULT_KEEP, DEFAULT_SNAPSHOT_TYPE } from '../snapshot/snapshot-options.js'
import { warn } from '../warn.js'

/** A snapshot that could not be read or saved. The events were replayed instead; nothing is lost but time. */
export interface SnapshotFailure {
  readonly operation: 'load' | 'save'
  readonly tenantId: string
  readonly streamId: string
  readonly error: unknown
}

/** When a repository takes snapshots: when one of the two is due, after appending or after a load that had to replay. */
export interface SnapshotPolicy {
  /** When so many events have come since the last one; by the store's preset when absent, `false` for not by count. */
  every?: number | false | undefined
  /** When events have come and the last one is older than this. */
  maxAgeMs?: number | undefined
  /** Never in a stream of fewer events; 0 when absent. */
  minEvents?: number | undefined
  /** How many a stream keeps; 5 when absent. */
  keep?: number | undefined
  /** Set it apart when several aggregates fold the same streams; `'state'` when absent. */
  snapshotType?: string | undefined
  /** Told of failures, none of which reaches the caller. When absent they are process warnings. */
  onError?: ((failure: SnapshotFailure) => void) | undefined
}

export interface ResolvedSnapshotPolicy {
  readonly every: number
  readonly maxAgeMs: number
  readonly minEvents: number
  readonly keep: number
  readonly snapshotType: string
  readonly onError: (failure: SnapshotFailure) => void
}

const names = namesOf<SnapshotPolicy>({
  every: true,
  maxAgeMs: true,
  minEvents: true,
  keep: true,
  snapshotType: true,
  onError: true,
})

/** @throws InvalidArgumentError */
export function resolveSnapshotPolicy(
  policy: boolean | SnapshotPolicy | undefined,
  everyByDefault: number,
): ResolvedSnapshotPolicy | undefined {
  if (policy === undefined || policy === false) return undefined
  const given = copyOptions<SnapshotPolicy>(policy === true ? {} : policy, names, 'snapshots')
  const onError = optionalFunction(given.onError, 'snapshots.onError') as SnapshotPolicy['onError']
  return {
    every:
      given.every === false
        ? Infinity
        : wholeNumber(given.every, 'snapshots.every', everyByDefault, { min: 1 }),
    maxAgeMs: given.maxAgeMs === undefined ? Infinity : wholeNumber(given.maxAgeMs, 'snapshots.maxAgeMs', 0),
    minEvents: wholeNumber(given.minEvents, 'snapshots.minEvents', 0),
    keep: wholeNumber(given.keep, 'snapshots.keep', DEFAULT_KEEP, { min: 1 }),
    snapshotType: optionalName(given.snapshotType, 'snapshots.snapshotType') ?? DEFAULT_SNAPSHOT_TYPE,
    onError: onError ?? warnOfFailure,
  }
}

/** How far a stream is beyond its last snapshot. */
export interface SinceSnapshot {
  readonly version: number
  /** 0 when there is none. */
  readonly snapshotVersion: number
  /** Milliseconds from the last snapshot (or the stream's first event, when there is none) to the last event. */
  readonly ageMs: number
}

/** Whether a snapshot is due. By the gap, not by multiples: a batch of events may jump one. */
export function isDue(policy: ResolvedSnapshotPolicy, since: SinceSnapshot): boolean {
  const gap = since.version - since.snapshotVersion
  if (gap <= 0 || since.version < policy.minEvents) return false
  return gap >= policy.every || since.ageMs >= policy.maxAgeMs
}

function warnOfFailure({ operation, streamId, error }: SnapshotFailure): void {
  const what = operation === 'load' ? 'could not be used, all events were replayed' : 'could not be saved'
  warn('VARVE_SNAPSHOT', `A snapshot of stream '${streamId}' ${what}`, error)
}

/** Tells of a failure; what the hook throws is nobody's business. */
export function report(policy: ResolvedSnapshotPolicy, failure: SnapshotFailure): void {
  try {
    policy.onError(failure)
  } catch {
    // it was told
  }
}

/** @throws InvalidArgumentError where a repository takes none. */
export function requirePolicy(policy: ResolvedSnapshotPolicy | undefined): ResolvedSnapshotPolicy {
  if (policy !== undefined) return policy
  throw new InvalidArgumentError(
    'snapshots',
    'this repository takes none; give createRepository { snapshots: true }',
  )
}
