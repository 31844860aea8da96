import type { HealthReport } from '@varve/core'
import type { Database } from 'better-sqlite3'
import type { SqliteDriver } from './driver.js'
import type { Names } from './names.js'

type Check = HealthReport['checks'][number]

/** What is particular to SQLite; whether the file is sound is for `pragma integrity_check`, which reads all of it. */
export async function healthChecks(driver: SqliteDriver, database: Database, names: Names): Promise<Check[]> {
  return [await fileCheck(driver, database), await guardCheck(driver, names)]
}

async function fileCheck(driver: SqliteDriver, database: Database): Promise<Check> {
  const [row] = await driver.query(
    'select sqlite_version(), (select journal_mode from pragma_journal_mode), (select synchronous from pragma_synchronous)',
  )
  const [version, journal, synchronous] = (row ?? []).map(String)
  const level = ['OFF', 'NORMAL', 'FULL', 'EXTRA'][Number(synchronous)] ?? synchronous
  const where = database.memory
    ? 'in memory'
    : `file '${database.name}', journal mode ${journal}, synchronous ${level}`
  const about = `SQLite ${version}, ${where}`
  if (database.readonly)
    return { name: 'file', status: 'degraded', detail: `${about}: opened read-only, appends will fail` }
  if (database.memory) return { name: 'file', status: 'ok', detail: about }
  if (level === 'OFF') {
    return {
      name: 'file',
      status: 'degraded',
      detail: `${about}: a power failure can damage the file; set synchronous to FULL`,
    }
  }
  if (journal !== 'wal') {
    return {
      name: 'file',
      status: 'degraded',
      detail: `${about}: readers and writers block each other; set journal_mode to wal`,
    }
  }
  return { name: 'file', status: 'ok', detail: about }
}

async function guardCheck(driver: SqliteDriver, names: Names): Promise<Check> {
  const wanted = [
    'events_no_update',
    'events_no_delete',
    'events_no_replace',
    'event_tags_no_update',
    'event_tags_no_delete',
  ]
  const rows = await driver.query(`select name from sqlite_schema where type = 'trigger'`)
  const there = new Set(rows.map(([name]) => name))
  const missing = wanted.map((name) => `${names.prefix}trigger_${name}`).filter((name) => !there.has(name))
  if (missing.length > 0) {
    const detail = `events can be changed: missing are the triggers ${missing.join(', ')}`
    return { name: 'append-only', status: 'degraded', detail }
  }
  const [open] = await driver.query(`select 1 from ${names.quoted('varve_meta')} where name = 'maintenance'`)
  if (open !== undefined) {
    const detail = `events can be changed: somebody has committed the row 'maintenance' in ${names.quoted('varve_meta')}; delete it`
    return { name: 'append-only', status: 'degraded', detail }
  }
  return { name: 'append-only', status: 'ok', detail: 'updates and deletes of events are refused' }
}
