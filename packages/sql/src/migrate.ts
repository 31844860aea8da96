import { InvalidArgumentError } from '@varve/core'
import type { MigrateOptions, MigrationState } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'
import type { SqlDriver } from './driver.js'
import { compare, glanceAtRecords, refuseForeignHistory, toState } from './migration-records.js'
import type { MigrationRecord } from './migration-records.js'
import { MigrationRun } from './migration-run.js'
import { indexRecordName, ownSet } from './migration-set.js'
import type { MigrationSet } from './migration-set.js'

export interface MigrationContext<Client> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  /** The store's own when absent. */
  readonly set?: MigrationSet
}

/**
 * Applies what is missing of a set, one process at a time. Where all is applied this costs one query and takes no lock.
 *
 * @throws MigrationError when the database is newer than this code, a shipped migration was changed, a foreign table bears
 * one of the names, or a statement is refused.
 * @throws InvalidArgumentError for an optional index that there is not.
 */
export async function migrate<Client>(
  context: MigrationContext<Client> & { options?: MigrateOptions | undefined },
): Promise<void> {
  const { driver, dialect, set = ownSet(dialect), options } = context
  const indexes = chosenIndexes(dialect, options)
  const glance = await glanceAtRecords(driver, dialect)
  if (missing(set, glance).length === 0 && missingIndexes(indexes, glance).length === 0) return

  await dialect.migration.exclusively(driver, async (session) => {
    const run = new MigrationRun(driver, dialect, set, session)
    const records = await run.begin()
    for (const { shipped, recorded } of missing(set, records))
      await run.apply(shipped, recorded !== undefined)
    for (const index of missingIndexes(indexes, records)) await run.createIndex(index)
  })
}

/** What is applied and what is not; on an empty database all is pending. */
export async function migrationStates<Client>(context: MigrationContext<Client>): Promise<MigrationState[]> {
  const { driver, dialect, set = ownSet(dialect) } = context
  return compare(set, await glanceAtRecords(driver, dialect)).map(toState)
}

interface Missing {
  readonly shipped: Migration
  readonly recorded: MigrationRecord | undefined
}

function missing(set: MigrationSet, records: readonly MigrationRecord[]): Missing[] {
  const compared = compare(set, records)
  refuseForeignHistory(compared)
  return compared.flatMap(({ state, shipped, recorded }) =>
    state === 'pending' && shipped !== undefined ? [{ shipped, recorded }] : [],
  )
}

function missingIndexes(indexes: readonly string[], records: readonly MigrationRecord[]): string[] {
  const recorded = new Set(records.map(({ name }) => name))
  return indexes.filter((index) => !recorded.has(indexRecordName(index)))
}

function chosenIndexes(dialect: Dialect, options: MigrateOptions = {}): string[] {
  const { indexes = [], ...others } = options
  for (const name of Object.keys(others)) {
    throw new InvalidArgumentError(name, 'there is no such option; known is indexes')
  }
  if (!Array.isArray(indexes)) throw new InvalidArgumentError('indexes', 'must be a list of names')
  const known = Object.keys(dialect.migration.indexes)
  const chosen = [...new Set<string>(indexes)]
  for (const index of chosen) {
    if (known.includes(index)) continue
    const list = known.length === 0 ? 'this adapter has none' : `known are ${known.join(', ')}`
    throw new InvalidArgumentError('indexes', `there is no optional index '${index}'; ${list}`)
  }
  return chosen
}
