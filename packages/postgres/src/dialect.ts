import type { Dialect, HintChannel } from '@varve/sql'
import { eventColumnNames, saveOnConflict, streamColumnNames } from '@varve/sql'
import type pg from 'pg'
import { appendStep } from './append.js'
import { consumeDialect } from './consume.js'
import { decode } from './decode.js'
import type { PgDriver } from './driver.js'
import { filter } from './filter.js'
import { migrationDialect } from './migration.js'
import type { Names } from './names.js'
import { SettledPositions } from './settled.js'

const timeColumns = new Set(['occurred_at', 'created_at', 'updated_at', 'archived_at'])

/** Times as text without a zone are the same under every session's settings, and quick to read. */
const time = (expression: string): string => `${expression} at time zone 'UTC'`

const select = (columns: readonly string[]): string =>
  columns.map((column) => (timeColumns.has(column) ? time(column) : column)).join(', ')

export function postgresDialect(driver: PgDriver, names: Names, hints?: HintChannel): Dialect<pg.PoolClient> {
  return {
    name: 'postgres',
    table: (name) => `${names.schema}."${name}"`,
    time,
    eventColumns: select(eventColumnNames),
    streamColumns: select(streamColumnNames),
    decode,
    filter,
    append: appendStep(driver, names),
    flushes: 2,
    settled: new SettledPositions(driver, names),
    migration: migrationDialect(driver, names),
    saveSnapshot: saveOnConflict,
    consume: consumeDialect(hints),
    now: 'clock_timestamp()',
    openMaintenance: (session) => session.script(`set local varve.maintenance = 'on'`),
    closeMaintenance: (session) => session.script(`set local varve.maintenance = 'off'`),
    patiently: (_, work) => driver.patiently(work),
    health: async () => [],
  }
}
