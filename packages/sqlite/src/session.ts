import { InvalidArgumentError } from '@varve/core'
import type { SqlRow, SqlSession, SqlValue } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import type { Connection } from './connection.js'

/** The connection in the hands of somebody who may use it for now; `check` throws when that is over. */
export class ConnectionSession implements SqlSession<Database> {
  readonly client: Database
  readonly #connection: Connection
  readonly #check: () => void

  constructor(connection: Connection, check: () => void) {
    this.client = connection.database
    this.#connection = connection
    this.#check = check
  }

  async query<T = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    map?: (row: SqlRow) => T,
  ): Promise<T[]> {
    this.#check()
    const rows = this.#connection.statements.get(text).rows(params)
    // without a map, rows are what was asked for
    return map === undefined ? (rows as T[]) : rows.map(map)
  }

  async execute(text: string, params: readonly SqlValue[] = []): Promise<number> {
    this.#check()
    return this.#connection.statements.get(text).run(params)
  }

  async script(text: string): Promise<void> {
    this.#check()
    this.client.exec(text)
  }
}

/** Runs work with a session, which is of no use afterwards, nor in a transaction that has ended before. */
export async function withSession<T>(
  connection: Connection,
  of: 'transaction' | 'connection',
  work: (session: ConnectionSession) => Promise<T>,
): Promise<T> {
  let over = false
  const session = new ConnectionSession(connection, () => {
    // a statement after the end of its transaction would be committed by itself
    if (!over && (of === 'connection' || connection.database.inTransaction)) return
    throw new InvalidArgumentError(
      'transaction',
      'it has ended (its work is done, or SQLite has ended it after an error such as a full disk); nothing more can be done in it',
    )
  })
  try {
    return await work(session)
  } finally {
    over = true
  }
}

/** A session in a transaction that the caller begins, and ends, by hand. */
export function joinedSession(connection: Connection): ConnectionSession {
  return new ConnectionSession(connection, () => {
    if (connection.database.inTransaction && !connection.isOurs) return
    throw new InvalidArgumentError(
      'client',
      connection.isOurs
        ? 'the transaction that is open on it is one of the store itself; use what store.transaction gives to its work'
        : "must be in a transaction that you began: database.exec('begin immediate')",
    )
  })
}
