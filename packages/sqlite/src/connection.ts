import { InvalidArgumentError } from '@varve/core'
import type { Blocker } from '@varve/core'
import type { SqlRow, SqlValue } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { isBusy } from './classify.js'
import { Locks } from './locks.js'
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
  #setUp: (() => void) | undefined
  /** Since when a transaction of the store's has been open. */
  #openSince: number | undefined
  /** Plain statements that wait for its end. */
  readonly #afterwards = new Set<() => void>()
  readonly #commits = new Set<() => void>()

  constructor(database: Database, { foreign, setUp }: ConnectionSettings) {
    this.database = database
    this.statements = new Statements(database)
    this.#locks = new Locks(database, this.statements, foreign)
    this.#setUp = setUp
  }

  /** Whether the open transaction is one of the store's, and not one that the caller began by hand. */
  get isOurs(): boolean {
    return this.#openSince !== undefined
  }

  /** Calls the listener after each transaction that may have written, until what is returned is called. */
  onCommit(listener: () => void): () => void {
    this.#commits.add(listener)
    return () => this.#commits.delete(listener)
  }

  /** @throws InvalidArgumentError for a call from inside an open transaction on this connection: it would wait for itself. */
  enter(operation: string): void {
    if (this.#openSince === undefined || !isInside(this)) return
    throw new InvalidArgumentError(
      operation,
      'SQLite has one connection, and this call of the store comes from inside its transaction, for whose end it would have to ' +
        'wait. Use the transaction that the work was given (tx.append, tx.readStream, tx.client), or call the store afterwards',
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
    return mapRows(read ?? (await this.#writeAlone(wait, text, params)), map)
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
    const wait = new Wait(timeoutMs)
    if (!this.#beginNow()) await this.#begin(wait)
    try {
      const result = work()
      if (!this.#commitNow()) await this.#commit(wait)
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
    await this.#begin(new Wait(timeoutMs))
    try {
      const result = await runInside(this, work)
      await this.#commit(new Wait(timeoutMs))
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
    return this.#turns.take(wait.leftMs, () => wait.late(this.#blocker()))
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
    if (begun) this.#openSince = performance.now()
    return begun
  }

  async #begin(wait: Wait): Promise<void> {
    await this.#takeTurn(wait)
    try {
      await this.#unhindered(wait, () => {
        this.#locks.run('begin immediate')
        this.#openSince = performance.now()
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
  async #commit(wait: Wait): Promise<void> {
    while (!this.#commitNow()) await wait.aWhile(otherConnection(this.database))
  }

  #end(): void {
    this.#openSince = undefined
    // plain statements first: they were held back by what has ended, and are over at once
    for (const resume of this.#afterwards) resume()
    this.#afterwards.clear()
    this.#turns.give()
    this.#announce()
  }

  #announce(): void {
    for (const listener of this.#commits) listener()
  }

  /** Does something outside of any transaction, as soon as nobody is in the way. */
  async #unhindered<T>(wait: Wait, action: () => T): Promise<T> {
    for (;;) {
      if (this.database.inTransaction) await this.#outside(wait)
      try {
        this.#setUp?.()
        this.#setUp = undefined
        return action()
      } catch (error) {
        if (!isBusy(error)) throw error
        await wait.aWhile(otherConnection(this.database), error)
      }
    }
  }

  /** Waits until no transaction is open, neither the store's nor one of the caller's. */
  async #outside(wait: Wait): Promise<void> {
    this.enter('query')
    while (this.database.inTransaction) {
      if (this.isOurs) await this.#endOfOurs(wait)
      else await wait.aWhile(this.#blocker())
    }
  }

  #endOfOurs(wait: Wait): Promise<void> {
    return new Promise((resolve, reject) => {
      const resume = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const giveUp = (): void => {
        this.#afterwards.delete(resume)
        reject(wait.late(this.#blocker()))
      }
      const timer = wait.leftMs === 0 ? undefined : setTimeout(giveUp, wait.leftMs)
      this.#afterwards.add(resume)
    })
  }

  #blocker(): Blocker {
    if (this.#openSince !== undefined) {
      const ageMs = Math.round(performance.now() - this.#openSince)
      return {
        ageMs,
        detail: `a transaction of this store has been open for ${ageMs} ms, on the one connection there is`,
      }
    }
    if (!this.database.inTransaction) return otherConnection(this.database)
    return {
      detail: 'a transaction that was begun by hand on the same Database is open; commit it or roll it back',
    }
  }
}

function otherConnection(database: Database): Blocker {
  return { detail: `another connection holds a lock on '${database.name}'` }
}

function mapRows<T>(rows: readonly SqlRow[], map: ((row: SqlRow) => T) | undefined): T[] {
  // without a map, rows are what was asked for
  return map === undefined ? (rows as T[]) : rows.map(map)
}

function endedEarly(): InvalidArgumentError {
  return new InvalidArgumentError(
    'transaction',
    'it was ended before its work returned, by a commit or rollback on its client, or by SQLite itself after an error that ' +
      'the work did not pass on. Leave the end of the transaction to the store, and let errors of statements out',
  )
}
