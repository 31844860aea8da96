// for adapters
export { createSqlEventStore } from './create.js'
export type { StoreSetup } from './store-parts.js'
export { ANY, EXISTS } from './dialect.js'
export type {
  Applied,
  AppendStep,
  AppendStepOptions,
  Bind,
  ConsumeDialect,
  Decoder,
  Dialect,
  FilterStatements,
  HeadWrite,
  HintAbout,
  HintChannel,
  Migration,
  MigrationDialect,
  ReadDialect,
  SettledSource,
  SettledState,
} from './dialect.js'
export type { LogParts, LogStretch } from './log-parts.js'
export type { Query } from './read-access.js'
export { TransactionEnded } from './driver.js'
export type { SqlDriver, SqlFailure, SqlRow, SqlSession, SqlTransactionOptions, SqlValue } from './driver.js'
export { eventColumnNames, streamColumnNames } from './rows.js'
export { saveOnConflict } from './snapshot-sql.js'

// for packages with tables of their own
export { sqlOf } from './extension.js'
export { eventDecoder } from './rows.js'
export type { SqlAccess, SqlExtension } from './extension.js'
