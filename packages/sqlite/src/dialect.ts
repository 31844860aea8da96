import type { Dialect } from '@varve/sql'
import { eventColumnNames, saveOnConflict, streamColumnNames } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { appendStep } from './append.js'
import type { Connection } from './connection.js'
import { decode } from './decode.js'
import type { SqliteDriver } from './driver.js'
import { filterStatements } from './filter.js'
import { healthChecks } from './health.js'
import { migrationDialect } from './migration.js'
import type { Names } from './names.js'
import { SettledPositions } from './settled.js'

export function sqliteDialect(driver: SqliteDriver, connection: Connection, names: Names): Dialect<Database> {
  const meta = names.quoted('varve_meta')
  return {
    name: 'sqlite',
    table: (name) => names.quoted(name),
    time: (expression) => expression,
    eventColumns: eventColumnNames.join(', '),
    streamColumns: streamColumnNames.join(', '),
    decode,
    filter: filterStatements(names),
    append: appendStep(driver, connection.database, names),
    flushes: 1,
    settled: new SettledPositions(driver, connection, names),
    migration: migrationDialect(names),
    saveSnapshot: saveOnConflict,
    consume: {
      later: (ms) => `cast(round(unixepoch('subsec') * 1000) as integer) + ${ms}`,
      forUpdate: '',
      // a file that a stopped process has locked cannot be had by anybody
      pieceSettings: () => '',
      showIn: (view, table) => `drop view if exists ${view}; create view ${view} as select * from ${table}`,
    },
    now: "cast(round(unixepoch('subsec') * 1000) as integer)",
    // never committed: the row is gone before the transaction's end, or with it
    openMaintenance: (session) =>
      session.script(`insert into ${meta} (name, value) values ('maintenance', 'open')`),
    closeMaintenance: (session) => session.script(`delete from ${meta} where name = 'maintenance'`),
    // statement by statement, so that writers are not kept waiting between them
    patiently: (any, work) =>
      work({
        client: connection.database,
        query: (text, params, map) => any.query(text, params, map),
        execute: (text, params) => any.session((session) => session.execute(text, params)),
        script: (text) => any.session((session) => session.script(text)),
      }),
    health: () => healthChecks(driver, connection.database, names),
  }
}
