import type { ResolvedStoreOptions } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlDriver } from './driver.js'

/** What all parts of one store share. */
export interface Engine<Client = unknown> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  readonly options: ResolvedStoreOptions
}
