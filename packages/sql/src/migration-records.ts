import { MigrationError } from '@varve/core'
import type { MigrationState } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'
import type { SqlDriver } from './driver.js'
import { isOfSet, recordName, RECORD_TABLE } from './migration-set.js'
import type { MigrationSet } from './migration-set.js'
import type { Query } from './read-access.js'

/** What the database remembers of a migration. */
export interface MigrationRecord {
  readonly name: string
  readonly checksum: string
  /** Absent while it is under way, or when the process that ran it died (only where DDL cannot be rolled back). */
  readonly appliedAt: Date | undefined
}

/** A migration, shipped or recorded or both. */
export interface Compared {
  readonly state: MigrationState['state']
  readonly name: string
  readonly shipped?: Migration
  readonly recorded?: MigrationRecord
}

/** All records, of whatever set. */
export function readRecords(query: Query, dialect: Dialect): Promise<MigrationRecord[]> {
  const appliedAt = dialect.time('applied_at')
  return query(
    `select name, checksum, ${appliedAt} from ${dialect.table(RECORD_TABLE)} order by name`,
    [],
    (row) => ({
      name: String(row[0]),
      checksum: String(row[1]),
      appliedAt: row[2] === null ? undefined : dialect.decode.time(row[2]),
    }),
  )
}

/** All records; none when the database has no table of them yet. Takes one statement and no lock. */
export async function glanceAtRecords(driver: SqlDriver, dialect: Dialect): Promise<MigrationRecord[]> {
  try {
    return await readRecords((...statement) => driver.query(...statement), dialect)
  } catch (error) {
    if (driver.classify(error).kind === 'schema') return []
    throw error
  }
}

/** Holds what is shipped against what is recorded: the shipped ones in their order, then those that only the database knows. */
export function compare(set: MigrationSet, records: readonly MigrationRecord[]): Compared[] {
  const left = new Map(
    records.filter((record) => isOfSet(set, record.name)).map((record) => [record.name, record]),
  )
  const shipped = set.migrations.map((migration): Compared => {
    const name = recordName(set, migration.name)
    const recorded = left.get(name)
    left.delete(name)
    if (recorded === undefined) return { state: 'pending', name, shipped: migration }
    const same = recorded.checksum === migration.checksum
    const state = !same ? 'changed' : recorded.appliedAt === undefined ? 'pending' : 'applied'
    return { state, name, shipped: migration, recorded }
  })
  const unknown = [...left.values()].map((recorded): Compared => ({
    state: 'unknown',
    name: recorded.name,
    recorded,
  }))
  return [...shipped, ...unknown]
}

export function toState({ state, name, shipped, recorded }: Compared): MigrationState {
  const appliedAt = recorded?.appliedAt
  const checksum = shipped?.checksum ?? recorded?.checksum ?? ''
  return { name, checksum, ...(appliedAt !== undefined && { appliedAt }), state }
}

/** @throws MigrationError when this code must not touch the schema. */
export function refuseForeignHistory(compared: readonly Compared[]): void {
  const unknown = compared.filter(({ state }) => state === 'unknown')
  if (unknown.length > 0) {
    const names = unknown.map(({ name, recorded }) => `'${name}' (checksum ${short(recorded?.checksum)})`)
    throw new MigrationError(
      `The database is newer than this code: it has ${names.join(', ')}, which this code does not know. ` +
        'Deploy the version of varve that ran it, or point this one at a database of its own. Nothing was changed.',
    )
  }
  const changed = compared.find(({ state }) => state === 'changed')
  if (changed !== undefined) {
    throw new MigrationError(
      `Migration '${changed.name}' was applied from another text than the one shipped: the database recorded checksum ` +
        `${short(changed.recorded?.checksum)}, this code has ${short(changed.shipped?.checksum)}. ` +
        'Open the database with the adapter that made it (on Postgres, the partitioned and the simple schema are two), or put the ' +
        'original file back (or deploy the version of varve that applied it), and make changes in a new migration. ' +
        'Nothing was changed.',
    )
  }
}

function short(checksum: string | undefined): string {
  return (checksum ?? '').slice(0, 12)
}
