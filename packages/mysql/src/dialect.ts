import type { Dialect, SqlSession } from '@varve/sql'
import { eventColumnNames, streamColumnNames } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { appendStep } from './append.js'
import { decode } from './decode.js'
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
    time: (expression) => expression,
    eventColumns: eventColumnNames.join(', '),
    streamColumns: streamColumnNames.join(', '),
    decode,
    filter: filterStatements(names),
    append: appendStep(driver, names, settled.appended),
    currentRead: ' lock in share mode',
    flushes: 1,
    settled,
    migration: migrationDialect(driver, names),
    now: 'utc_timestamp(6)',
    openMaintenance: (session) => setOpen(session, true),
    closeMaintenance: (session) => setOpen(session, false),
    patiently: (_, work) => driver.patiently(work),
    health: (plain) => healthChecks(plain, names),
  }
}

async function setOpen(session: SqlSession, open: boolean): Promise<void> {
  // the driver closes what is still open when the transaction is rolled back
  if (session instanceof MysqlSession) session.open = true
  await session.script(open ? OPEN_MAINTENANCE : CLOSE_MAINTENANCE)
  if (session instanceof MysqlSession) session.open = open
}
