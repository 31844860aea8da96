import type { Blocker, HealthReport, JsonObject, JsonValue, PreparedEvent } from '@varve/core'
import type { SqlDriver, SqlSession, SqlValue } from './driver.js'
import type { LogParts } from './log-parts.js'

/** One stream's part of a flush: the events of one append, or of several that fit each other, or of a check (none). */
export interface HeadWrite {
  readonly tenantId: string
  readonly streamId: string
  readonly streamType: string | undefined
  /** A version, `ANY` or `EXISTS`. */
  readonly expected: number
  readonly events: readonly PreparedEvent[]
}

/** `HeadWrite.expected` for `'any'`. */
export const ANY = -1
/** `HeadWrite.expected` for `'stream-exists'`. */
export const EXISTS = -2

/** What the database made of a `HeadWrite`. */
export interface Applied {
  /** Of the stream, after the write. */
  readonly version: number
  readonly streamType: string
  /** Of the events, ascending; empty for a check. */
  readonly positions: readonly number[]
  readonly recordedAt: Date
  /** Of the events, in hex; when the step has computed them, so that nobody need do it again. */
  readonly checksums?: readonly string[]
}

/**
 * The one step that engines do in different numbers of statements: locking heads in the order of their keys, comparing
 * them with what is expected, and storing the events. A write whose stream is archived (unless it is a check), of another
 * type, or not at the version expected does not come back (`undefined`), and leaves no trace.
 */
export interface AppendStep<Client> {
  /**
   * Stores the writes in one transaction of its own; each is applied or not, whatever becomes of the others. No checks. A
   * write among several whose stream is held by somebody else's transaction may come back undone, so that it does not keep
   * the others waiting; one alone waits.
   */
  flush(writes: readonly HeadWrite[], options: AppendStepOptions): Promise<readonly (Applied | undefined)[]>
  /** The same inside the session's transaction, checks included; a caller who wants all or nothing rolls back. */
  within(
    session: SqlSession<Client>,
    writes: readonly HeadWrite[],
    options: AppendStepOptions,
  ): Promise<readonly (Applied | undefined)[]>
}

export interface AppendStepOptions {
  /** Whether these ids may be stored already: the caller gave them, or they were sent before. */
  readonly mayBeStored: boolean
}

/** How columns come back. All get what the driver delivers for a column of `eventColumns` or `streamColumns`. */
export interface Decoder {
  number(value: unknown): number
  json(value: unknown): JsonValue
  time(value: unknown): Date
  tags(value: unknown): string[]
  checksum(value: unknown): string
}

/** A piece of a WHERE clause; `bind` adds a parameter and gives its placeholder. */
export type Bind = (value: SqlValue) => string

export interface FilterStatements {
  /** `column` is one of `values`, of which there is at least one. */
  anyOf(column: string, values: readonly string[], bind: Bind): string
  /** The event `events.…` bears all the tags, of which there is at least one. */
  tags(tags: readonly string[], bind: Bind): string
  /**
   * The events of a tenant that bear a tag, as something to select from, where an index of tags has to lead the read: each
   * event once, and the column that goes by `position` there. Absent where the events' own indexes serve tags.
   */
  tagged?(tag: string, tenantId: string, bind: Bind): { readonly from: string; readonly position: string }
  /** The leaves of `metadata` are equal at their paths; there is at least one. */
  metadata(metadata: JsonObject, bind: Bind): string
  /** A parameter for a time column. */
  time(value: Date): SqlValue
}

/** What is known of a log's settled part. */
export interface SettledState {
  /** Everything up to here has been decided. */
  readonly settled: number
  /** The highest visible position when it was looked at. */
  readonly high: number
  /** Who keeps `settled` below `high`, when somebody does. */
  readonly blocker?: Blocker
}

/** Tells how far the log may be read without skipping an append under way. One for all readers of a store. */
export interface SettledSource {
  /** Looks now. */
  look(): Promise<SettledState>
  /** Waits until `settled` is above `position`; looks for at most `timeoutMs`, then gives what there is, blocker named. */
  beyond(position: number, timeoutMs: number, signal?: AbortSignal): Promise<SettledState>
  close(): void
}

export interface Migration {
  readonly name: string
  readonly checksum: string
  readonly sql: string
}

/** How migrations run on an engine. */
export interface MigrationDialect<Client> {
  /**
   * Creates the table `varve_migrations` where it is missing, and the schema around it: name (primary key, compared byte by
   * byte), checksum (64 characters), applied_at (nullable: begun, not finished), duration_ms (nullable). Any number of
   * statements; nothing that exists may need a right to create it.
   */
  readonly recordTable: string
  readonly files: readonly Migration[]
  /** Optional indexes by name: statements that may be repeated. */
  readonly indexes: Readonly<Record<string, string>>
  /**
   * Runs `work` while no other process can, without a limit to how long its statements take; in a transaction where DDL
   * can be rolled back. Elsewhere it commits statement by statement, and a lock that dies with the connection keeps others out.
   */
  exclusively<T>(driver: SqlDriver<Client>, work: (session: SqlSession<Client>) => Promise<T>): Promise<T>
  /** Runs one migration's statements; must be able to resume where DDL commits by itself. */
  apply(session: SqlSession<Client>, sql: string): Promise<void>
  /** Names among `tables` that exist already. */
  existing(session: SqlSession<Client>, tables: readonly string[]): Promise<string[]>
  /** Names of the tables that the files create, refused when they exist without a record of ours. */
  readonly tables: readonly string[]
  /** Replaces `{{…}}` in a migration's text; `{{name}}`, also of an extension's table, gives what `table(name)` gives. */
  render(sql: string): string
}

/** What is to be looked for: appended events, or what somebody did to a projection (its lease given back, a pause, …). */
export type HintAbout = 'log' | 'projections'

/** Tells other processes that there is something to look for. Only a hint: it may be lost, late, or in vain. */
export interface HintChannel {
  /** Calls `hint` when another process (or this one) has sent one, until `close`; reconnects by itself, never throws. */
  listen(hint: (about: HintAbout) => void): void
  /** Sends one, soon; never throws, and waits for nobody. About the log it is called very often, and has to hold itself back. */
  send(about: HintAbout): void
  close(): Promise<void>
}

/** What following the log and keeping read models needs to know of an engine. */
export interface ConsumeDialect<Client> {
  /** An expression for the database's clock, some milliseconds later; `ms` is a parameter's placeholder. */
  later(ms: string): string
  /** Behind a SELECT: locks the rows until the transaction's end. Empty where a transaction has the database to itself. */
  readonly forUpdate: string
  /**
   * Settings for the transaction of one piece of a projection, to be run at its beginning: that the server ends it when its
   * process says nothing for `leaseMs`, so that locks of a stopped process cannot keep its successor from taking over.
   */
  pieceSettings(leaseMs: number): string
  /** Where the server cannot do that: how the connection of a piece is called in the lease; asks nothing of the server. */
  connectionName?(client: Client): string
  /** … and ends the connection that a lease names, when its holder has let the lease run out. */
  evict?(driver: SqlDriver<Client>, connection: string): Promise<void>
  /** Makes the view `view` show `table`, whatever it showed before: statements that may be repeated. */
  showIn(view: string, table: string): string
  readonly hints?: HintChannel
}

/** What reading needs to know of an engine. */
export interface ReadDialect {
  readonly name: string
  /** The table's name as statements write it: quoted, with its schema or prefix. */
  table(name: string): string
  /** An expression that gives `expression`, a time column or an aggregate of one, in the form that `decode.time` takes. */
  time(expression: string): string
  /** The select list of an event, in the order of `eventColumnNames`. */
  readonly eventColumns: string
  /** The select list of a stream, in the order of `streamColumnNames`. */
  readonly streamColumns: string
  readonly decode: Decoder
  readonly filter: FilterStatements
  readonly settled: SettledSource
  /** How the log is divided; absent where it is kept in one. */
  readonly parts?: LogParts
  /** An expression for the database's clock. */
  readonly now: string
}

/** All that is particular to an engine, beside its driver. */
export interface Dialect<Client = unknown> extends ReadDialect {
  readonly append: AppendStep<Client>
  /**
   * Ends a select that is to see what is committed by now, in a transaction whose snapshot may be older. Needed where such a
   * transaction can lock and write what its snapshot does not show.
   */
  readonly currentRead?: string
  /** How many flushes may be under way at once. */
  readonly flushes: number
  readonly migration: MigrationDialect<Client>
  /**
   * The statement that inserts what `select` gives, or replaces the row with the same key (all columns up to `version`) in
   * `table`, unless that has a higher `schema_version`.
   */
  saveSnapshot(table: string, columns: string, select: string): string
  readonly consume: ConsumeDialect<Client>
  /** Opens the append-only tables for the session's transaction, and closes them again before it commits. */
  openMaintenance(session: SqlSession<Client>): Promise<void>
  closeMaintenance(session: SqlSession<Client>): Promise<void>
  /** Runs reads over the whole log, which may take longer than the limit that other statements have. */
  patiently<T>(driver: SqlDriver<Client>, work: (session: SqlSession<Client>) => Promise<T>): Promise<T>
  /** Checks of the engine's own for `health()`. */
  health(driver: SqlDriver<Client>): Promise<HealthReport['checks'][number][]>
}
