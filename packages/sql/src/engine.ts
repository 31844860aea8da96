import type { AppendResult, ResolvedStoreOptions } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlDriver, SqlSession } from './driver.js'

/** What all parts of one store share. */
export interface Engine<Client = unknown> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  readonly options: ResolvedStoreOptions
  /** Done in the transaction of each append, before it commits; there is no coalescing then. */
  readonly inline?:
    | ((session: SqlSession<Client>, results: readonly AppendResult[]) => Promise<void>)
    | undefined
  /** Called after each transaction that has appended; costs next to nothing. */
  readonly appended?: () => void
}
