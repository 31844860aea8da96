import type { Dialect, SqlSession } from '@varve/sql'
import { eventColumnNames, streamColumnNames } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { appendStep } from './append.js'
import { evict, nameOf } from './connection-name.js'
import { decode, timeExpression } from './decode.js'
import type { MysqlDriver } from './driver.js'
import { filterStatements } from './filter.js'
import { healthChecks } from './health.js'
import { migrationDialect } from './migration.js'
import { Names } from './names.js'
import { MysqlSession } from './session.js'
import { CLOSE_MAINTENANCE, OPEN_MAINTENANCE } from './session-settings.js'
import { SettledPositions } from './settled.js'

export function mysqlDialect(driver: MysqlDriver, tablePrefix: string): Dialect<Connection> {
  const names = new Names(tablePrefix)
  const settled = new SettledPositions(driver, names)
  return {
    name: 'mysql',
    table: (name) => names.quoted(name),
    time: timeExpression,
    eventColumns: columnList(eventColumnNames),
    streamColumns: columnList(streamColumnNames),
    decode,
    filter: filterStatements(names),
    append: appendStep(driver, names, settled.appended),
    currentRead: ' lock in share mode',
    flushes: 1,
    settled,
    migration: migrationDialect(driver, names),
    saveSnapshot,
    consume: {
      later: (ms) => `date_add(utc_timestamp(6), interval (${ms} * 1000) microsecond)`,
      forUpdate: ' for update',
      pieceSettings: () => '',
      connectionName: nameOf,
      evict,
      // commits what is open: whoever takes over does it first, and repeats it if it has to
      showIn: (view, table) =>
        `create or replace sql security invoker view ${view} as select * from ${table}`,
    },
    now: 'utc_timestamp(6)',
    openMaintenance: (session) => setOpen(session, true),
    closeMaintenance: (session) => setOpen(session, false),
    patiently: (_, work) => driver.patiently(work),
    health: (plain) => healthChecks(plain, names),
  }
}

function saveSnapshot(table: string, columns: string, select: string): string {
  // assigned from left to right: the comparison has to see the version that was there
  const newer = (column: string): string =>
    `${column} = if(values(schema_version) >= ${table}.schema_version, values(${column}), ${table}.${column})`
  return (
    `insert into ${table} (${columns}) ${select} ` +
    `on duplicate key update ${newer('state')}, ${newer('created_at')}, ${newer('schema_version')}`
  )
}

async function setOpen(session: SqlSession, open: boolean): Promise<void> {
  // the driver closes what is still open when the transaction is rolled back
  if (session instanceof MysqlSession) session.open = true
  await session.script(open ? OPEN_MAINTENANCE : CLOSE_MAINTENANCE)
  if (session instanceof MysqlSession) session.open = open
}

function columnList(columns: readonly string[]): string {
  return columns.map((column) => (column.endsWith('_at') ? timeExpression(column) : column)).join(', ')
}
