import { InvalidArgumentError } from '@varve/core'
import type { SqlRow, SqlValue } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { isBusy } from './classify.js'
import { Locks } from './locks.js'
import { Occupancy } from './occupancy.js'
import { isInside, runInside } from './scope.js'
import { Statements } from './statements.js'
import { Turns } from './turns.js'
import { Wait } from './wait.js'

/** Stores opened over one Database share its connection, and so its turns. */
const connections = new WeakMap<Database, Connection>()

/** The connection of a Database that the caller brings. */
export function connectionOf(database: Database): Connection {
  let connection = connections.get(database)
  if (connection === undefined) {
    connection = new Connection(database, { foreign: true })
    connections.set(database, connection)
  }
  return connection
}

export interface ConnectionSettings {
  /** Whether the Database is the caller's, with settings that are to be left as they are. */
  readonly foreign: boolean
  /** Done before anything else, and again when somebody else was in the way. */
  readonly setUp?: () => void
}

/**
 * The one connection there is. Statements run at once, within the call. Transactions take turns, and plain statements wait
 * while one is open, as they would be part of it. Waiting never blocks the process: it is done with timers.
 */
export class Connection {
  readonly database: Database
  readonly statements: Statements
  readonly #locks: Locks
  readonly #turns = new Turns()
  readonly #occupancy: Occupancy
  readonly #commits = new Set<() => void>()
  #setUp: (() => void) | undefined

  constructor(database: Database, { foreign, setUp }: ConnectionSettings) {
    this.database = database
    this.statements = new Statements(database)
    this.#locks = new Locks(database, this.statements, foreign)
    this.#occupancy = new Occupancy(database)
    this.#setUp = setUp
  }

  /** Whether a transaction of the store's is open, not one that the caller began by hand. */
  get isOurs(): boolean {
    return this.#occupancy.isOurs
  }

  /** Calls the listener after each transaction that may have written, until what is returned is called. */
  onCommit(listener: () => void): () => void {
    this.#commits.add(listener)
    return () => this.#commits.delete(listener)
  }

  /** @throws InvalidArgumentError for a call from inside an open transaction on this connection: it would wait for itself. */
  enter(operation: string): void {
    if (!this.isOurs || !isInside(this)) return
    throw new InvalidArgumentError(
      operation,
      'SQLite has one connection, and this call of the store comes from inside its transaction, for whose end it would have ' +
        'to wait. Use the transaction that the work was given (tx.append, tx.readStream, tx.client), or call the store ' +
        'afterwards',
    )
  }

  /** One statement outside of any transaction. */
  async query<T>(
    text: string,
    params: readonly SqlValue[],
    timeoutMs: number,
    map?: (row: SqlRow) => T,
  ): Promise<T[]> {
    const wait = new Wait(timeoutMs)
    const read = await this.#unhindered(wait, () => {
      const statement = this.statements.get(text)
      return statement.readonly ? statement.rows(params) : undefined
    })
    const rows = read ?? (await this.#writeAlone(wait, text, params))
    // without a map, rows are what was asked for
    return map === undefined ? (rows as T[]) : rows.map(map)
  }

  /** Work outside of transactions; nobody else writes meanwhile. */
  async alone<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    this.enter('session')
    const wait = new Wait(timeoutMs)
    await this.#takeTurn(wait)
    try {
      await this.#unhindered(wait, () => undefined)
      return await work()
    } finally {
      this.#turns.give()
    }
  }

  /** A transaction of statements that follow each other at once: all in one go when nobody is in the way. */
  async write<T>(timeoutMs: number, work: () => T): Promise<T> {
    if (!this.#beginNow()) await this.#begin(timeoutMs)
    try {
      const result = work()
      if (!this.#commitNow()) await this.#commit(timeoutMs)
      return result
    } catch (error) {
      this.#locks.rollBack()
      throw error
    } finally {
      this.#end()
    }
  }

  /** A transaction around work that may take its time. Calls of the store from inside it are refused. */
  async transaction<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    this.enter('transaction')
    await this.#begin(timeoutMs)
    try {
      const result = await runInside(this, work)
      await this.#commit(timeoutMs)
      return result
    } catch (error) {
      this.#locks.rollBack()
      throw error
    } finally {
      this.#end()
    }
  }

  /** Calls `end` when nothing is under way any more. */
  async close(end: () => void): Promise<void> {
    await this.#turns.take(0)
    try {
      this.statements.clear()
      end()
    } finally {
      this.#turns.give()
    }
  }

  async #writeAlone(wait: Wait, text: string, params: readonly SqlValue[]): Promise<SqlRow[]> {
    await this.#takeTurn(wait)
    try {
      return await this.#unhindered(wait, () =>
        this.#locks.withoutBlocking(() => this.statements.get(text).rows(params)),
      )
    } finally {
      this.#turns.give()
      this.#announce()
    }
  }

  #takeTurn(wait: Wait): Promise<void> {
    return this.#turns.take(wait.leftMs, () => wait.late(this.#occupancy.blocker()))
  }

  /** Begins a transaction within the call if nobody is in the way. */
  #beginNow(): boolean {
    if (this.#setUp !== undefined || !this.#turns.takeNow()) return false
    let begun = false
    try {
      begun = !this.database.inTransaction && this.#locks.tryTo('begin immediate')
    } finally {
      if (!begun) this.#turns.give()
    }
    if (begun) this.#occupancy.begun()
    return begun
  }

  async #begin(timeoutMs: number): Promise<void> {
    const wait = new Wait(timeoutMs)
    await this.#takeTurn(wait)
    try {
      await this.#unhindered(wait, () => {
        this.#locks.run('begin immediate')
        this.#occupancy.begun()
      })
    } catch (error) {
      this.#turns.give()
      throw error
    }
  }

  #commitNow(): boolean {
    if (!this.database.inTransaction) throw endedEarly()
    return this.#locks.tryTo('commit')
  }

  /** Readers of a database without a write-ahead log may be in the way; the transaction stays open meanwhile. */
  async #commit(timeoutMs: number): Promise<void> {
    const wait = new Wait(timeoutMs)
    const inTheWay = {
      detail:
        `other connections read '${this.database.name}', which has no write-ahead log, or an iterator that the work has ` +
        'made of a statement is still open',
    }
    while (!this.#commitNow()) await wait.aWhile(inTheWay)
  }

  #end(): void {
    // plain statements first: they were held back by what has ended, and are over at once
    this.#occupancy.ended()
    this.#turns.give()
    this.#announce()
  }

  #announce(): void {
    for (const listener of this.#commits) listener()
  }

  /** Does something outside of any transaction, as soon as nobody is in the way. */
  async #unhindered<T>(wait: Wait, action: () => T): Promise<T> {
    for (;;) {
      if (this.database.inTransaction) {
        this.enter('query')
        await this.#occupancy.end(wait)
      }
      try {
        this.#setUp?.()
        this.#setUp = undefined
        return action()
      } catch (error) {
        if (!isBusy(error)) throw error
        await wait.aWhile(this.#occupancy.blocker(), error)
      }
    }
  }
}

function endedEarly(): InvalidArgumentError {
  return new InvalidArgumentError(
    'transaction',
    'it was ended before its work returned, by a commit or rollback on its client, or by SQLite itself after an error that ' +
      'the work did not pass on. Leave the end of the transaction to the store, and let errors of statements out',
  )
}
