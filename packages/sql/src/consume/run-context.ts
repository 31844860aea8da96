import type { ResolvedRun } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlDriver, SqlSession, SqlValue } from '../driver.js'
import type { Lifecycle } from '../lifecycle.js'
import type { LogReader } from '../read-all.js'
import type { Query } from '../read-access.js'
import type { Checkpoints } from './checkpoint.js'
import type { ParkedEvents } from './parked.js'
import type { Tail } from './tail.js'

/** What the parts of a runner share. */
export interface RunContext<Client> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  readonly log: LogReader
  readonly tail: Tail
  readonly query: Query
  readonly checkpoints: Checkpoints
  readonly parked: ParkedEvents
  readonly lifecycle: Pick<Lifecycle, 'isClosing'>
  readonly options: ResolvedRun
}

/** One statement that writes, committed by itself; gives the number of rows that it found. */
export function execute(driver: SqlDriver, text: string, params: readonly SqlValue[]): Promise<number> {
  return driver.transaction((session: SqlSession) => session.execute(text, params))
}

/** What a hook throws is no concern of ours, nor what becomes of its promise. */
export function tell<Report>(hook: ((report: Report) => unknown) | undefined, report: Report): void {
  try {
    const told = hook?.(report)
    if (told instanceof Promise) told.catch(() => undefined)
  } catch {
    // said so where the hooks are declared
  }
}
