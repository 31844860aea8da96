import type { Database, Statement } from 'better-sqlite3'
import type { SqlRow, SqlValue } from '@varve/sql'
import { positional } from './placeholders.js'

/** A prepared statement that takes its parameters in the order of `$1`, `$2` … */
export class Prepared {
  /** Whether it leaves the database as it is. */
  readonly readonly: boolean
  readonly #statement: Statement
  readonly #order: readonly number[] | undefined

  constructor(database: Database, text: string) {
    const { text: ownText, order } = positional(text)
    const statement = database.prepare(ownText)
    // whatever the caller's default is; what no number can hold is refused by the decoder
    if (statement.reader) statement.raw(true).safeIntegers(false)
    this.#statement = statement
    this.#order = order
    this.readonly = statement.readonly
  }

  /** Gives the number of rows that it found. */
  run(params: readonly SqlValue[]): number {
    const given = this.#given(params)
    return this.#statement.reader ? this.#statement.all(given).length : this.#statement.run(given).changes
  }

  rows(params: readonly SqlValue[]): SqlRow[] {
    const given = this.#given(params)
    if (this.#statement.reader) return this.#statement.all(given) as SqlRow[]
    this.#statement.run(given)
    return []
  }

  #given(params: readonly SqlValue[]): readonly (SqlValue | undefined)[] {
    return this.#order === undefined ? params : this.#order.map((index) => params[index])
  }
}

/** Prepared statements by their text; the one that was not used for longest makes room for a new one. */
export class Statements {
  readonly #database: Database
  readonly #max: number
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: Database, max = 256) {
    this.#database = database
    this.#max = max
  }

  get(text: string): Prepared {
    let prepared = this.#prepared.get(text)
    if (prepared !== undefined) {
      this.#prepared.delete(text)
    } else {
      prepared = new Prepared(this.#database, text)
      if (this.#prepared.size >= this.#max) {
        const [oldest] = this.#prepared.keys()
        if (oldest !== undefined) this.#prepared.delete(oldest)
      }
    }
    this.#prepared.set(text, prepared)
    return prepared
  }

  clear(): void {
    this.#prepared.clear()
  }
}
