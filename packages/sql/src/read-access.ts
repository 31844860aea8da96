import type { SqlRow, SqlValue } from './driver.js'

/** One statement, wherever it runs: in a transaction or on any connection. */
export type Query = <T = SqlRow>(
  text: string,
  params?: readonly SqlValue[],
  map?: (row: SqlRow) => T,
) => Promise<T[]>

/** How a read reaches the database. */
export interface ReadAccess {
  readonly query: Query
  /** Runs what is no plain statement. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Runs a read as a whole: closing the store waits for it, and admits what it still asks. */
  whole<T>(work: (access: ReadAccess) => Promise<T>): Promise<T>
}
