import { sleep } from '@varve/core'
import type { HealthReport } from '@varve/core'
import type { SqlDriver, SqlRow } from '@varve/sql'
import { decode } from './decode.js'
import type { Names } from './names.js'

type Check = HealthReport['checks'][number]

const SLOW_MS = 3_000
const LOOK_EVERY_MS = 250

export async function healthChecks(driver: SqlDriver, names: Names): Promise<Check[]> {
  return [await serverCheck(driver), await writersCheck(driver, names)]
}

async function serverCheck(driver: SqlDriver): Promise<Check> {
  const [row] = await driver.query(
    'select version(), @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@innodb_strict_mode',
  )
  const [version, flush, binlog, sync] = row ?? []
  const log = Number(binlog) === 1 ? `sync_binlog ${String(sync)}` : 'no binary log'
  return {
    name: 'server',
    status: 'ok',
    detail: `${String(version)}, innodb_flush_log_at_trx_commit ${String(flush)}, ${log}`,
  }
}

/** Whether somebody who has appended keeps all others from it. Many who append in turn are no such case: the log grows. */
async function writersCheck(driver: SqlDriver, names: Names): Promise<Check> {
  const free: Check = { name: 'writers', status: 'ok', detail: 'nobody is kept from appending' }
  const begun = performance.now()
  const first = await heldAt(driver, names)
  for (let now = first; now !== undefined && now === first; now = await heldAt(driver, names)) {
    const heldMs = performance.now() - begun
    const holder = await holderOf(driver)
    const ageMs = holder?.ageMs ?? heldMs
    if (ageMs >= SLOW_MS) {
      const seconds = (ageMs / 1000).toFixed(0)
      const who = holder === undefined ? '' : ` (connection ${holder.id}, user ${String(holder.user)})`
      const detail = `a transaction that has appended has been open for ${seconds} s${who} and keeps all others from appending; end it`
      return { name: 'writers', status: 'degraded', detail }
    }
    await sleep(LOOK_EVERY_MS)
  }
  return free
}

/** The last position, when somebody holds the log's lock at this moment. */
async function heldAt(driver: SqlDriver, names: Names): Promise<number | undefined> {
  const streams = names.quoted('event_streams')
  try {
    await driver.query(`select 1 from ${streams} where tenant_id = '' and stream_id = '' for update nowait`)
    return undefined
  } catch (error) {
    if (driver.classify(error).kind !== 'conflict') throw error
  }
  const [row] = await driver.query(`select coalesce(max(position), 0) from ${names.quoted('events')}`)
  return decode.number(row?.[0])
}

interface Holder {
  readonly id: number
  readonly user: unknown
  readonly ageMs: number
}

/** The oldest transaction that holds locks and waits for none; only accounts with the PROCESS privilege may know. */
async function holderOf(driver: SqlDriver): Promise<Holder | undefined> {
  const text =
    'select t.trx_mysql_thread_id, p.user, timestampdiff(microsecond, t.trx_started, now(6)) / 1000 ' +
    'from information_schema.innodb_trx t left join information_schema.processlist p on p.id = t.trx_mysql_thread_id ' +
    `where t.trx_state = 'RUNNING' and t.trx_rows_locked > 0 order by t.trx_started limit 1`
  let row: SqlRow | undefined
  try {
    ;[row] = await driver.query(text)
  } catch {
    return undefined
  }
  if (row === undefined) return undefined
  return { id: Number(row[0]), user: row[1], ageMs: Number(row[2]) }
}
