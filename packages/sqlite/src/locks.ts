import type { Database } from 'better-sqlite3'
import { isBusy } from './classify.js'
import type { Statements } from './statements.js'

/** The statements that begin and end transactions. None of them waits for another connection's lock. */
export class Locks {
  readonly #database: Database
  readonly #statements: Statements
  readonly #foreign: boolean

  /** @param foreign whether the Database is the caller's, with settings that are to be left as they are */
  constructor(database: Database, statements: Statements, foreign: boolean) {
    this.#database = database
    this.#statements = statements
    this.#foreign = foreign && !database.memory
  }

  /** Runs a statement; false when somebody else is in the way. */
  tryTo(text: 'begin immediate' | 'commit'): boolean {
    try {
      this.run(text)
      return true
    } catch (error) {
      if (!isBusy(error)) throw error
      return false
    }
  }

  run(text: 'begin immediate' | 'commit'): void {
    this.withoutBlocking(() => this.#statements.get(text).rows([]))
  }

  rollBack(): void {
    // SQLite has done it by itself when the disk is full, and the like
    if (!this.#database.inTransaction) return
    try {
      this.#statements.get('rollback').rows([])
    } catch (error) {
      if (!isBusy(error)) throw error
      // better-sqlite3 refuses it while an iterator of the work's is open, SQLite does not: that iterator ends with an error
      this.#database.unsafeMode(true)
      try {
        this.#statements.get('rollback').rows([])
      } finally {
        this.#database.unsafeMode(false)
      }
    }
  }

  /** The caller's Database may be set to wait inside SQLite, by default for 5 s in which the whole process stands still. */
  withoutBlocking<T>(action: () => T): T {
    const timeout = this.#foreign ? this.#database.pragma('busy_timeout', { simple: true }) : 0
    if (timeout === 0) return action()
    this.#database.pragma('busy_timeout = 0')
    try {
      return action()
    } finally {
      this.#database.pragma(`busy_timeout = ${Number(timeout)}`)
    }
  }
}
