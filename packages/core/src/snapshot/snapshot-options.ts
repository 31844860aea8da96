import { canonicalize } from '../canonical.js'
import { InvalidArgumentError, isInvalidEventError } from '../errors.js'
import {
  copyOptions,
  namesOf,
  optionalDate,
  optionalName,
  optionalNames,
  requiredName,
  wholeNumber,
} from '../option-values.js'
import type {
  CountSnapshotsOptions,
  DeleteSnapshotsOptions,
  ListSnapshotsOptions,
  NewSnapshot,
  PruneSnapshotsOptions,
  SaveSnapshotOptions,
  SnapshotCoverageOptions,
  SnapshotQuery,
} from './snapshot-store.js'

/** `NewSnapshot.snapshotType` when nobody says otherwise. */
export const DEFAULT_SNAPSHOT_TYPE = 'state'
/** Snapshots of a type that a stream keeps when nobody says otherwise. */
export const DEFAULT_KEEP = 5
const MAX_SCHEMA_VERSION = 2_147_483_647

/** A snapshot that has passed all limits; its state is canonical JSON text. */
export interface PreparedSnapshot {
  readonly streamId: string
  readonly snapshotType: string
  readonly version: number
  readonly schemaVersion: number
  readonly state: string
}

const snapshotNames = namesOf<NewSnapshot>({
  version: true,
  state: true,
  snapshotType: true,
  schemaVersion: true,
})

/** Checks and copies a snapshot. @throws InvalidArgumentError */
export function prepareSnapshot(streamId: string, snapshot: NewSnapshot, maxBytes: number): PreparedSnapshot {
  const given = copyOptions<NewSnapshot>(snapshot, snapshotNames, 'snapshot')
  return {
    streamId: requiredName(streamId, 'streamId'),
    snapshotType: typeName(given.snapshotType, 'snapshot.snapshotType'),
    version: requiredNumber(given.version, 'snapshot.version'),
    schemaVersion: schemaVersion(given.schemaVersion, 'snapshot.schemaVersion') ?? 1,
    state: stateText(given.state, maxBytes),
  }
}

function stateText(state: unknown, maxBytes: number): string {
  try {
    const text = canonicalize(state, 'snapshot.state', { maxBytes, maxBytesPath: 'snapshot.state' })
    if (Buffer.byteLength(text) <= maxBytes) return text
  } catch (error) {
    if (isInvalidEventError(error)) throw new InvalidArgumentError(error.path, error.reason, error)
    throw error
  }
  throw new InvalidArgumentError('snapshot.state', `larger than ${maxBytes} bytes as JSON`)
}

const saveNames = namesOf<SaveSnapshotOptions>({ keep: true })

/** @throws InvalidArgumentError */
export function resolveSaveSnapshot(options?: SaveSnapshotOptions): { readonly keep: number | undefined } {
  const { keep } = copyOptions<SaveSnapshotOptions>(options, saveNames)
  return { keep: keep === undefined ? undefined : wholeNumber(keep, 'keep', DEFAULT_KEEP, { min: 1 }) }
}

const queryNames = namesOf<SnapshotQuery>({ snapshotType: true, schemaVersion: true })

/** @throws InvalidArgumentError */
export function resolveSnapshotQuery(query?: SnapshotQuery): {
  readonly snapshotType: string
  readonly schemaVersion: number | undefined
} {
  const given = copyOptions<SnapshotQuery>(query, queryNames)
  return {
    snapshotType: typeName(given.snapshotType, 'snapshotType'),
    schemaVersion: schemaVersion(given.schemaVersion, 'schemaVersion'),
  }
}

const listNames = namesOf<ListSnapshotsOptions>({ snapshotType: true, limit: true })

/** @throws InvalidArgumentError */
export function resolveListSnapshots(options?: ListSnapshotsOptions): {
  readonly snapshotType: string | undefined
  readonly limit: number
} {
  const given = copyOptions<ListSnapshotsOptions>(options, listNames)
  return {
    snapshotType: optionalName(given.snapshotType, 'snapshotType'),
    limit: wholeNumber(given.limit, 'limit', Number.MAX_SAFE_INTEGER),
  }
}

const deleteNames = namesOf<DeleteSnapshotsOptions>({ snapshotType: true, version: true })

/** @throws InvalidArgumentError */
export function resolveDeleteSnapshots(options?: DeleteSnapshotsOptions): {
  readonly snapshotType: string | undefined
  readonly version: number | undefined
} {
  const given = copyOptions<DeleteSnapshotsOptions>(options, deleteNames)
  return {
    snapshotType: optionalName(given.snapshotType, 'snapshotType'),
    version: given.version === undefined ? undefined : requiredNumber(given.version, 'version'),
  }
}

const pruneNames = namesOf<PruneSnapshotsOptions>({
  keep: true,
  streamId: true,
  snapshotType: true,
  olderThan: true,
})

/** @throws InvalidArgumentError */
export function resolvePruneSnapshots(options?: PruneSnapshotsOptions): {
  readonly keep: number
  readonly streamId: string | undefined
  readonly snapshotType: string | undefined
  readonly olderThan: Date | undefined
} {
  const given = copyOptions<PruneSnapshotsOptions>(options, pruneNames)
  return {
    keep: wholeNumber(given.keep, 'keep', DEFAULT_KEEP),
    streamId: optionalName(given.streamId, 'streamId'),
    snapshotType: optionalName(given.snapshotType, 'snapshotType'),
    olderThan: optionalDate(given.olderThan, 'olderThan'),
  }
}

const countNames = namesOf<CountSnapshotsOptions>({ streamId: true, snapshotType: true })

/** @throws InvalidArgumentError */
export function resolveCountSnapshots(options?: CountSnapshotsOptions): {
  readonly streamId: string | undefined
  readonly snapshotType: string | undefined
} {
  const given = copyOptions<CountSnapshotsOptions>(options, countNames)
  return {
    streamId: optionalName(given.streamId, 'streamId'),
    snapshotType: optionalName(given.snapshotType, 'snapshotType'),
  }
}

const coverageNames = namesOf<SnapshotCoverageOptions>({
  moreThan: true,
  streamTypes: true,
  snapshotType: true,
  limit: true,
})

/** @throws InvalidArgumentError */
export function resolveSnapshotCoverage(options?: SnapshotCoverageOptions): {
  readonly moreThan: number
  readonly streamTypes: readonly string[] | undefined
  readonly snapshotType: string
  readonly limit: number
} {
  const given = copyOptions<SnapshotCoverageOptions>(options, coverageNames)
  return {
    moreThan: wholeNumber(given.moreThan, 'moreThan', 100),
    streamTypes: optionalNames(given.streamTypes, 'streamTypes'),
    snapshotType: typeName(given.snapshotType, 'snapshotType'),
    limit: wholeNumber(given.limit, 'limit', 1_000),
  }
}

function typeName(value: unknown, argument: string): string {
  return optionalName(value, argument) ?? DEFAULT_SNAPSHOT_TYPE
}

function schemaVersion(value: unknown, argument: string): number | undefined {
  return value === undefined
    ? undefined
    : wholeNumber(value, argument, 1, { min: 1, max: MAX_SCHEMA_VERSION })
}

function requiredNumber(value: unknown, argument: string): number {
  // null is no number either, and gives the same message
  return wholeNumber(value ?? null, argument, 1, { min: 1 })
}
