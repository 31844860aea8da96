import type { Blocker } from '@varve/core'
import type { Database } from 'better-sqlite3'
import type { Wait } from './wait.js'

/** Whether a transaction is open on the connection, whose it is, and the waiting for its end. */
export class Occupancy {
  readonly #database: Database
  /** Since when a transaction of the store's has been open. */
  #openSince: number | undefined
  /** Who waits for its end. */
  readonly #waiting = new Set<() => void>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Whether a transaction of the store's is open, not one that the caller began by hand. */
  get isOurs(): boolean {
    return this.#openSince !== undefined
  }

  begun(): void {
    this.#openSince = performance.now()
  }

  ended(): void {
    this.#openSince = undefined
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }

  /** Waits until no transaction is open. @throws StoreUnavailableError when the wait is over before */
  async end(wait: Wait): Promise<void> {
    while (this.#database.inTransaction) {
      if (this.isOurs) await this.#endOfOurs(wait)
      else await wait.aWhile(this.blocker())
    }
  }

  /** What is in the way of others. */
  blocker(): Blocker {
    if (this.#openSince !== undefined) {
      const ageMs = Math.round(performance.now() - this.#openSince)
      const detail = `a transaction of this store has been open for ${ageMs} ms, on the one connection there is`
      return { ageMs, detail }
    }
    return this.#database.inTransaction
      ? {
          detail:
            'a transaction that was begun by hand on the same Database is open; commit it or roll it back',
        }
      : { detail: `another connection holds a lock on '${this.#database.name}'` }
  }

  #endOfOurs(wait: Wait): Promise<void> {
    return new Promise((resolve, reject) => {
      const resume = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting.delete(resume)
        reject(wait.late(this.blocker()))
      }
      const timer = wait.leftMs === 0 ? undefined : setTimeout(giveUp, wait.leftMs)
      this.#waiting.add(resume)
    })
  }
}
