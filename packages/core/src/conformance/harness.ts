import type { EventStore } from '../event-store.js'
import type { Projection } from '../projection/projection.js'
import type { RetryOptions } from '../retry.js'

/** What a case may ask of the store that a harness opens for it. */
export interface OpenOptions {
  /** `false`: the place is there (schema, file, database), varve's tables are not. `true` when absent. */
  readonly migrated?: boolean
  /** The tenant of the store; `'default'` when absent. */
  readonly tenantId?: string
  readonly maxEventBytes?: number
  readonly maxAppendBytes?: number
  readonly retry?: RetryOptions | false
  /** The store's option. */
  readonly inline?: readonly Projection[]
  /** The case is going to use the harness's `faults` on this store, so a proxy may be put in between. */
  readonly faults?: boolean
}

/** A transaction that the caller began on a client of the driver's own. */
export interface OwnTransaction<Client = unknown> {
  readonly client: Client
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** A store and the ways around it. */
export interface OpenedStore<Client = unknown> {
  readonly store: EventStore<Client>
  /**
   * A second, independent store on the same database, as another process would open it: own pool, own connection, no
   * tenant bound. The suite closes it.
   */
  another(): Promise<EventStore<Client>>
  /** Runs one SQL statement behind the store's back, as the owner of the tables. Resolves to its rows. */
  sql(text: string): Promise<Record<string, unknown>[]>
  /** As `sql`, with the guards of the append-only tables (triggers, foreign keys) out of the way for this statement. */
  tamper(text: string): Promise<void>
  /** Runs one SQL statement on a client of the driver's own, in the transaction that is open there. */
  query(client: Client, text: string): Promise<Record<string, unknown>[]>
  /** How a table is called in all that SQL: `table('events')`. Names that varve does not use give a table beside its own. */
  table(name: string): string
  /** Begins a transaction on a client of the driver's own, for `store.using(client)`. */
  begin(): Promise<OwnTransaction<Client>>
  /**
   * Statements that the database itself must refuse, whatever the events table holds: UPDATE and DELETE of events, and
   * TRUNCATE, REPLACE or what else the engine has.
   */
  readonly forbidden: readonly string[]
  /** Closes the store if it is still open, and removes what `open` made. */
  dispose(): Promise<void>
}

/** Outages, for adapters that talk to a server. */
export interface ServerFaults<Client = unknown> {
  /** The server ends every session of the store now, idle or not. New ones are welcome. */
  dropConnections(opened: OpenedStore<Client>): Promise<void>
  /** The next append is executed and committed, but its answer never arrives: the connection breaks instead. */
  loseNextAnswer(opened: OpenedStore<Client>): Promise<void>
  /** From now on the server cannot be reached, and the sessions of the store are gone. */
  away(opened: OpenedStore<Client>): Promise<void>
  /** Ends `away`. */
  back(opened: OpenedStore<Client>): Promise<void>
}

/** What an adapter gives to be held against the contract. */
export interface ConformanceHarness<Client = unknown> {
  /** Shown in the names of the tests. */
  readonly name: string
  /** A fresh, empty store of its own: own schema, database, file or prefix. The retry option is the store's default. */
  open(options?: OpenOptions): Promise<OpenedStore<Client>>
  /** Without them the cases that need them fail, and have to be named in `knownGaps`. */
  readonly faults?: ServerFaults<Client>
  /**
   * Cases that this adapter cannot pass, each with the reason. They are run all the same and must fail: a gap that has
   * healed is an error, and so is an id that no case has.
   */
  readonly knownGaps?: Readonly<Record<string, string>>
}

/** The two functions of a test runner that the suite needs: those of vitest, node:test, jest or mocha fit. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
}
