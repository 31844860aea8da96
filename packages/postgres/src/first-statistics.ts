import type { SqlDriver } from '@varve/sql'
import type { Names } from './names.js'

const AFTER_EVENTS = 1_000

/**
 * Has the tables analysed once, early in their life. Until then the planner takes any tenant for a rare one, and sorts for
 * every page what it could read in order; autovacuum comes a minute later.
 */
export class FirstStatistics {
  readonly #driver: Pick<SqlDriver, 'query'>
  readonly #names: Names
  #events = 0

  constructor(driver: Pick<SqlDriver, 'query'>, names: Names) {
    this.#driver = driver
    this.#names = names
  }

  appended(events: number): void {
    const before = this.#events
    this.#events += events
    if (before < AFTER_EVENTS && this.#events >= AFTER_EVENTS) void this.#analyse()
  }

  async #analyse(): Promise<void> {
    const { events, streams } = this.#names
    try {
      const [row] = await this.#driver.query(
        'select reltuples < 0 from pg_class where oid = to_regclass($1)',
        [events],
      )
      if (row?.[0] === 't') await this.#driver.query(`analyze ${events}, ${streams}`)
    } catch {
      // a role without the right to it does without: autovacuum will come
    }
  }
}
