/** What a statement may be given. A `Buffer` is sent as it is (Postgres: in binary form). */
export type SqlValue = string | number | bigint | null | Buffer

/** One row: its columns in the order of the statement, as the driver delivers them. */
export type SqlRow = readonly unknown[]

/** One connection of the database, in or out of a transaction. */
export interface SqlSession<Client = unknown> {
  /** The driver's own client. */
  readonly client: Client
  /**
   * Runs one statement, prepared and cached by its text. Parameters are written `$1`, `$2` … on every engine.
   * `map` is called row by row as they arrive.
   */
  query<T = SqlRow>(text: string, params?: readonly SqlValue[], map?: (row: SqlRow) => T): Promise<T[]>
  /** Runs one statement that writes, as `query`; resolves to how many rows it found (not: changed). */
  execute(text: string, params?: readonly SqlValue[]): Promise<number>
  /** Runs any number of statements without parameters. */
  script(text: string): Promise<void>
  /**
   * Rejects with `TransactionEnded` when there is no transaction any more. Some databases end one without a word to who comes
   * next (MySQL, when a statement of the caller's meets a deadlock), and would commit each further statement by itself.
   */
  assertOpen?(): Promise<void>
}

/** There is no transaction on the connection: what is sent would be committed statement by statement. */
export class TransactionEnded extends Error {
  constructor() {
    super('there is none on its connection: it was never begun, or has ended since, as at a deadlock')
    this.name = 'TransactionEnded'
  }
}

/** What became of a statement or connection, in the store's words. */
export interface SqlFailure {
  readonly kind:
    | 'unreachable' /* no connection could be had: nothing was sent */
    | 'lost' /* the connection broke under way: what was sent may have been done */
    | 'conflict' /* deadlock, serialisation failure, lock timeout: rolled back, may be run again */
    | 'timeout' /* the statement took too long: rolled back */
    | 'unique' /* a unique key */
    | 'schema' /* a table or column is missing: not migrated */
    | 'other'
  readonly detail: string
}

export interface SqlTransactionOptions {
  /** Statements without parameters that belong to its beginning: settings that hold for this transaction alone. */
  readonly settings?: string
}

/** A pool of connections (or the one there is). Everything that is particular to a database client sits behind this. */
export interface SqlDriver<Client = unknown> {
  /** One statement on any free connection, committed by itself. */
  query<T = SqlRow>(text: string, params?: readonly SqlValue[], map?: (row: SqlRow) => T): Promise<T[]>
  /** Work on one connection that nobody else uses meanwhile, outside a transaction. */
  session<T>(work: (session: SqlSession<Client>) => Promise<T>): Promise<T>
  /** Work in one READ COMMITTED transaction; rolls back when the work throws, with the work's own error. */
  transaction<T>(
    work: (session: SqlSession<Client>) => Promise<T>,
    options?: SqlTransactionOptions,
  ): Promise<T>
  /** A session over a client of the caller's, in a transaction of the caller's. */
  join(client: Client): SqlSession<Client>
  /** Throws when a call from here would wait for itself (an engine with one connection, inside its transaction). */
  enter(operation: string): void
  classify(error: unknown): SqlFailure
  /** Ends the connections that it opened itself. */
  close(): Promise<void>
}
