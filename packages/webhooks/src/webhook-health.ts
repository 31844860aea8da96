import type { HealthReport } from '@varve/core'
import type { Database } from './sql/database.js'

const LATE_MS = 60_000

/** Whether jobs go out, of all endpoints. */
export async function webhookHealth(database: Database): Promise<HealthReport> {
  const { health, jobs, now, syntax } = database
  try {
    const text =
      `select ` +
      `(select count(*) from ${health} where active and breaker_state <> 'closed'), ` +
      `(select count(*) from ${health} where active and hold_reason is not null and not_before > ${now}), ` +
      `(select count(*) from ${jobs} where status = 'processing' and locked_until <= ${now}), ` +
      `(select max(${syntax.between('due_at', now)}) from ${health} where active and breaker_state = 'closed' and (not_before is null or not_before <= ${now}))`
    const [row] = await database.query(text)
    const [open = 0, held = 0, lost = 0, late = 0] = (row ?? []).map((value) =>
      value === null ? 0 : database.number(value),
    )
    const checks: HealthReport['checks'][number][] = [
      check('breakers', open === 0, `${open} endpoints are left alone for failing`),
      check('keys', held === 0, `${held} endpoints wait for an encryption key`),
      check('leases', lost === 0, `${lost} jobs are held by workers that were not heard of again`),
      check('backlog', late < LATE_MS, `the oldest due job has been waiting for ${Math.max(0, late)} ms`),
    ]
    return { status: checks.every(({ status }) => status === 'ok') ? 'ok' : 'degraded', checks }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { status: 'down', checks: [{ name: 'database', status: 'down', detail }] }
  }
}

function check(name: string, ok: boolean, detail: string): HealthReport['checks'][number] {
  return { name, status: ok ? 'ok' : 'degraded', detail }
}
