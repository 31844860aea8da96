import { PartitionError } from '@varve/core'
import type { PgDriver } from '@varve/postgres'
import type { SqlRow, SqlValue } from '@varve/sql'

/** The functions of the schema raise this when they refuse. */
const REFUSED = 'VP001'

/** Makes the function that runs one statement, however long it takes. */
export function calling(
  driver: PgDriver,
): <T = SqlRow>(text: string, params?: readonly SqlValue[], map?: (row: SqlRow) => T) => Promise<T[]> {
  return (text, params, map) =>
    refusing(() => driver.patiently((session) => session.query(text, params, map)))
}

/** What the schema's functions refuse is a `PartitionError`. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === REFUSED)) throw error
    const hint = 'hint' in error && typeof error.hint === 'string' ? ` ${error.hint}` : ''
    throw new PartitionError(`${error.message}.${hint}`, error)
  }
}
