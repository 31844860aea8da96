// events
export { newEvent } from './event.js'
export type { NewEvent, RecordedEvent } from './event.js'
export type { JsonObject, JsonValue } from './json.js'
export { checksumOf } from './checksum.js'
export type { ChecksummedEvent } from './checksum.js'

// the store
export type {
  AppendOptions,
  AppendResult,
  Direction,
  EventFilter,
  EventRead,
  EventReader,
  EventStore,
  HealthReport,
  ListStreamsOptions,
  MigrateOptions,
  MigrationState,
  ReadAllOptions,
  ReadStreamOptions,
  StoreStatistics,
  StoreTransaction,
  StreamInfo,
  StreamWrite,
  TransactionOptions,
  VerifyOptions,
  VerifyProblem,
  VerifyReport,
} from './event-store.js'
export type { ExpectedVersion } from './expected-version.js'

// consuming the log
export { defineProjection } from './projection/define-projection.js'
export type {
  BatchHandler,
  ErrorAction,
  EventHandler,
  EventTypes,
  Projection,
  ProjectionDefinition,
  ProjectionStep,
  ProjectionTransaction,
  RetryPolicy,
} from './projection/projection.js'
export type {
  BatchReport,
  ErrorReport,
  LeaseReport,
  ParkedEvent,
  ParkedFilter,
  ProjectionAdmin,
  ProjectionInfo,
  ProjectionRunner,
  ProjectionStatus,
  RunOptions,
  ShardInfo,
} from './projection/projection-admin.js'
export type { SubscribeOptions, Subscription } from './projection/subscription.js'

// opening one
export { openEventStore } from './open.js'
export type { Adapter, OpenOptions } from './open.js'
export { presets, resolvePreset } from './presets.js'
export type { PoolOptions, Preset, PresetName, PresetOverrides } from './presets.js'
export type { StoreOptions } from './store-options.js'
export type { RetryOptions } from './retry.js'

// errors, and guards that know them by their code
export {
  CheckpointAheadError,
  ChecksumMismatchError,
  ConcurrencyError,
  DuplicateEventError,
  EventStoreError,
  ForeignLogError,
  InvalidArgumentError,
  InvalidEventError,
  LeaseLostError,
  MigrationError,
  PartitionError,
  ProjectionFaultedError,
  SchemaValidationError,
  SerializationError,
  StoreClosedError,
  StoreUnavailableError,
  StreamArchivedError,
  StreamNotFoundError,
  TenantMismatchError,
  TransactionConflictError,
  UndeclaredStreamError,
  UnknownEventTypeError,
  isCheckpointAheadError,
  isChecksumMismatchError,
  isConcurrencyError,
  isDuplicateEventError,
  isEventStoreError,
  isForeignLogError,
  isInvalidArgumentError,
  isInvalidEventError,
  isLeaseLostError,
  isMigrationError,
  isPartitionError,
  isProjectionFaultedError,
  isSchemaValidationError,
  isSerializationError,
  isStoreClosedError,
  isStoreUnavailableError,
  isStreamArchivedError,
  isStreamNotFoundError,
  isTenantMismatchError,
  isTransactionConflictError,
  isUndeclaredStreamError,
  isUnknownEventTypeError,
} from './errors.js'
export type { Blocker, ErrorCode } from './errors.js'

// the adapter kit: for those who write a store, not for those who use one
export { satisfies } from './expected-version.js'
export { prepareAppend, prepareAppendMany } from './prepare.js'
export type { PreparedWrite, SizeLimits } from './prepare.js'
export type { PreparedEvent } from './prepare-event.js'
export { toRecorded } from './recorded.js'
export type { Assigned } from './recorded.js'
export { canonicalize } from './canonical.js'
export type { CanonicalLimits } from './canonical.js'
export { canonicalParts } from './checksum.js'
export type { CanonicalParts } from './checksum.js'
export { nameProblem } from './names.js'
export { splitTypes } from './event-filter.js'
export {
  resolveListStreams,
  resolveReadAll,
  resolveReadStream,
  resolveTransaction,
  resolveVerify,
} from './options.js'
export type { ResolvedListStreams, ResolvedReadAll, ResolvedReadStream, ResolvedVerify } from './options.js'
export { resolveStoreOptions } from './store-options.js'
export type { ResolvedRetry, ResolvedStoreOptions } from './store-options.js'
export type { Filled } from './filled.js'
export { backoffDelay, sleep } from './retry.js'
export { projectionName } from './projection/define-projection.js'
export { resolveSubscribe } from './projection/subscription.js'
export type { ResolvedSubscribe } from './projection/subscription.js'
export { resolveRun } from './projection/run-options.js'
export type { ResolvedRun } from './projection/run-options.js'
