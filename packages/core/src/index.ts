// events
export { newEvent, toNewEvent } from './event.js'
export type { NewEvent, RecordedEvent } from './event.js'
export type { JsonObject, JsonOf, JsonValue } from './json.js'
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

// aggregates and commands
export { defineAggregate } from './aggregate/aggregate.js'
export type { Aggregate, AggregateDefinition, NewEventsOf, StateOf } from './aggregate/aggregate.js'
export { defineCommand } from './aggregate/command.js'
export type {
  CommandContext,
  CommandDecision,
  CommandDefinition,
  CommandType,
  CommandWrite,
  StreamReference,
} from './aggregate/command.js'
export type { Envelope } from './aggregate/envelope.js'
export type { EventAccess } from './aggregate/event-access.js'
export { defineEvents } from './aggregate/event-catalog.js'
export type { EventCatalog, EventCatalogOptions, EventSource } from './aggregate/event-catalog.js'
export { eventData } from './aggregate/event-definitions.js'
export type {
  EventDefinitions,
  EventInput,
  NewEventOf,
  ReadEvent,
  RecordedEventOf,
  UnknownEvent,
  UnknownEvents,
} from './aggregate/event-definitions.js'
export { executeCommand } from './aggregate/execute-command.js'
export type { ExecuteOptions, Executed } from './aggregate/execute-command.js'
export { createRepository } from './aggregate/repository.js'
export type {
  Decide,
  DecisionContext,
  Handled,
  HandleOptions,
  Loaded,
  Repository,
  RepositoryOptions,
} from './aggregate/repository.js'
export type { ConflictRetryOptions } from './aggregate/retry-conflicts.js'
export type { SnapshotFailure, SnapshotPolicy } from './aggregate/snapshot-policy.js'
export { defineUpcaster } from './aggregate/upcaster.js'
export type { Upcaster, UpcasterDefinition } from './aggregate/upcaster.js'

// snapshots
export type {
  CountSnapshotsOptions,
  DeleteSnapshotsOptions,
  ListSnapshotsOptions,
  NewSnapshot,
  PruneSnapshotsOptions,
  SaveSnapshotOptions,
  Snapshot,
  SnapshotCoverage,
  SnapshotCoverageOptions,
  SnapshotKind,
  SnapshotQuery,
  SnapshotStore,
} from './snapshot/snapshot-store.js'
// process managers
export { defineProcess } from './process/define-process.js'
export type {
  AnyProcess,
  AnyReaction,
  CommandExecution,
  CommandHandlers,
  EmittedEvent,
  FiredTimeout,
  GivenUpCommand,
  GiveUp,
  Process,
  ProcessCommand,
  ProcessDefinition,
  Reaction,
  ReactionContext,
  RequestedTimeout,
} from './process/process.js'
export type { ProcessAdmin, ProcessFailure, ProcessInfo, ProcessRunOptions } from './process/process-admin.js'

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
export {
  copyOptions,
  flag,
  namesOf,
  oneOf,
  optionalFunction,
  optionalName,
  optionalNames,
  optionalSignal,
  present,
  requiredName,
  wholeNumber,
} from './option-values.js'
export type { Given } from './option-values.js'
export {
  prepareSnapshot,
  resolveCountSnapshots,
  resolveDeleteSnapshots,
  resolveListSnapshots,
  resolvePruneSnapshots,
  resolveSaveSnapshot,
  resolveSnapshotCoverage,
  resolveSnapshotQuery,
} from './snapshot/snapshot-options.js'
export type { PreparedSnapshot } from './snapshot/snapshot-options.js'
export { projectionName } from './projection/define-projection.js'
export { resolveSubscribe } from './projection/subscription.js'
export type { ResolvedSubscribe } from './projection/subscription.js'
export { resolveRun } from './projection/run-options.js'
export type { ResolvedRun } from './projection/run-options.js'
export { resolveProcessRun } from './process/run-options.js'
export type { ResolvedProcessRun } from './process/run-options.js'
export { derivedId } from './process/derived-id.js'
export { advance } from './process/advance.js'
export { COMMAND_FAILED, correlationOf, TIMEOUT_FIRED } from './process/process-events.js'
export type { CommandFailedData, TimeoutData } from './process/process-events.js'
export type { Advanced, OutboxEntry, PendingTimeout, ProcessInstance } from './process/advance.js'
