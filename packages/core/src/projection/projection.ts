import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'

/** What a projection's functions work in: the transaction that commits what they write together with the checkpoint. */
export interface ProjectionTransaction<Client = unknown> {
  /** The driver's own client, in this transaction. Leave its end (commit, rollback) to the store. */
  readonly client: Client
  /** Of the projection. */
  readonly name: string
  /** Whose tables are meant: the projection's own version, or an older one that is being cleared away. */
  readonly version: number
  /**
   * The name of one of the projection's `tables` in this version, `inventory_stock_v2`, for the text of statements.
   *
   * @throws InvalidArgumentError for a table that the projection does not declare.
   */
  readonly table: (name: string) => string
}

/** A handler of one event. Declared as a method, so that a handler may say more of its event than the store can know. */
export type EventHandler<Client = unknown, Event = RecordedEvent> = {
  handle(event: Event, tx: ProjectionTransaction<Client>): unknown
}['handle']

/** A handler of several events at once, in the order of positions; all of them or none. */
export type BatchHandler<Client = unknown, Event = RecordedEvent> = {
  handle(events: readonly Event[], tx: ProjectionTransaction<Client>): unknown
}['handle']

/** Work around the events: making tables, emptying them, taking over. */
export type ProjectionStep<Client = unknown> = {
  run(tx: ProjectionTransaction<Client>): unknown
}['run']

/** What becomes of an event whose handler fails. */
export type ErrorAction = 'stop' | 'skip' | 'park'

export interface RetryPolicy {
  /** Further tries after the first one. */
  retries: number
  /** Before the second try; twice as long before each further one, at most a minute. */
  backoffMs: number
  /** When the last try has failed, too. */
  then: ErrorAction
}

/** The types of events, each with its data, that handlers can count on. */
export type EventTypes = { readonly [type: string]: unknown }

/** A read model, as `defineProjection` takes it. It has `handles` or `batch`. */
export interface ProjectionDefinition<
  Client = unknown,
  Events extends EventTypes = Record<string, JsonValue>,
> {
  /** Letters, digits, `_`, `-` and `.`, at most 100. Its checkpoint is kept under this name. */
  name: string
  /** From 1 on; 1 when absent. A higher one is built beside the old one, and takes over when it has caught up. */
  version?: number
  /** By event type; or by a prefix that ends in `.*`, for those that have no handler of their own. */
  handles?: {
    readonly [Type in keyof Events & string]?: EventHandler<Client, RecordedEvent<Type, Events[Type]>>
  }
  /** Instead of `handles`: gets the events in pieces of at most `checkpointEvery`. */
  batch?: BatchHandler<Client>
  /** For `batch`: the types it wants, as in `readAll`; all of them when absent. */
  types?: readonly string[]
  /** `true`: folds the events of all tenants into one model. Otherwise each tenant's handle runs one of its own. */
  allTenants?: boolean
  /** Over how many leases the projection is split, by stream; 1 when absent. Another number needs another version. */
  shards?: number
  /**
   * Tables of the model, without a version: `setUp` makes `tx.table('inventory_stock')`, which is `inventory_stock_v1`, and
   * readers use the view `inventory_stock`, which points to the version that is in charge. A name may have a schema before it.
   */
  tables?: readonly string[]
  /** Makes the tables of this version; runs once, before its first event. Must stand being run again. */
  setUp?: ProjectionStep<Client>
  /** Empties the model, for `rebuild`. When absent, all rows of `tables` are deleted. */
  reset?: ProjectionStep<Client>
  /** Runs in the transaction in which this version takes over, once it has caught up: to switch what readers use. */
  takeOver?: ProjectionStep<Client>
  /** `'stop'` when absent: the projection stands still, `faulted`, until its cause is removed. */
  onError?: ErrorAction | RetryPolicy
}

/** A projection that was checked by `defineProjection`. */
export interface Projection<Client = unknown> {
  readonly name: string
  readonly version: number
  readonly handles: Readonly<Record<string, EventHandler<Client>>>
  readonly batch?: BatchHandler<Client>
  /** What it wants of the log; all types when absent. */
  readonly types?: readonly string[]
  readonly allTenants: boolean
  readonly shards: number
  readonly tables: readonly string[]
  readonly setUp?: ProjectionStep<Client>
  readonly reset?: ProjectionStep<Client>
  readonly takeOver?: ProjectionStep<Client>
  readonly onError: Readonly<RetryPolicy>
}
