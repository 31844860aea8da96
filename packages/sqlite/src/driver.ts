import { InvalidArgumentError } from '@varve/core'
import type { SqlDriver, SqlFailure, SqlRow, SqlSession, SqlValue } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { classify } from './classify.js'
import type { Connection } from './connection.js'
import { joinedSession, withSession } from './session.js'

export interface SqliteDriverSettings {
  /** Whether the store opened the Database, and closes it. */
  readonly owned: boolean
  /** How long a call waits for the connection, or for another process; 0 is for ever. */
  readonly acquireTimeoutMs: number
}

export class SqliteDriver implements SqlDriver<Database> {
  readonly #connection: Connection
  readonly #settings: SqliteDriverSettings

  constructor(connection: Connection, settings: SqliteDriverSettings) {
    this.#connection = connection
    this.#settings = settings
  }

  query<T = SqlRow>(text: string, params: readonly SqlValue[] = [], map?: (row: SqlRow) => T): Promise<T[]> {
    return this.#connection.query(text, params, this.#settings.acquireTimeoutMs, map)
  }

  session<T>(work: (session: SqlSession<Database>) => Promise<T>): Promise<T> {
    return this.#connection.alone(this.#settings.acquireTimeoutMs, () =>
      withSession(this.#connection, 'connection', work),
    )
  }

  transaction<T>(work: (session: SqlSession<Database>) => Promise<T>): Promise<T> {
    return this.#connection.transaction(this.#settings.acquireTimeoutMs, () =>
      withSession(this.#connection, 'transaction', work),
    )
  }

  /** A transaction of statements that need no waiting between them. */
  write<T>(work: () => T): Promise<T> {
    return this.#connection.write(this.#settings.acquireTimeoutMs, work)
  }

  join(client: Database): SqlSession<Database> {
    if (client === this.#connection.database) return joinedSession(this.#connection)
    throw new InvalidArgumentError(
      'client',
      'must be the very Database that the store was created with (the option database): the store sees no other one',
    )
  }

  enter(operation: string): void {
    this.#connection.enter(operation)
  }

  classify(error: unknown): SqlFailure {
    return classify(error)
  }

  close(): Promise<void> {
    return this.#connection.close(() => {
      if (this.#settings.owned) this.#connection.database.close()
    })
  }
}
