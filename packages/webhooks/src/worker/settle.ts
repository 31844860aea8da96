import type { SqlSession } from '@varve/sql'
import type { BreakerState, HealthState, Tally } from '../endpoints/health-state.js'
import { nextHealth } from '../endpoints/health-state.js'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import { newId } from '../ids.js'
import type { Database } from '../sql/database.js'
import { isTrue } from '../sql/syntax.js'
import { releaseLanes } from './lanes.js'
import type { Outcome } from './outcome.js'

export interface SettleContext {
  readonly database: Database
  readonly endpoint: (id: string) => StoredEndpoint | undefined
  readonly breakerFailures: number
  readonly breakerCooldownMs: number
  readonly disableAfterMs: number
}

export interface Settled {
  /** Jobs whose answers counted: the others had gone to another worker meanwhile. */
  readonly accepted: ReadonlySet<string>
  /** Endpoints that have failed, and only failed, for too long. */
  readonly exhausted: readonly string[]
}

/** Writes down what came of jobs, and what was sent, in one transaction. An answer counts only under its claim's fence. */
export async function settle(
  context: SettleContext,
  outcomes: readonly Outcome[],
  /** Endpoints whose health a success would change. */
  unsettled: ReadonlySet<string>,
  history: boolean,
): Promise<Settled> {
  const { database } = context
  return database.transaction(async (session) => {
    const accepted = await settleJobs(database, session, outcomes)
    const counted = outcomes.filter(({ job }) => accepted.has(job.id))
    if (history) await recordAttempts(database, session, counted)
    const exhausted = await settleHealth(context, session, counted, unsettled)
    await releaseLanes(database, session, counted)
    return { accepted, exhausted }
  })
}

async function settleJobs(
  database: Database,
  session: SqlSession,
  outcomes: readonly Outcome[],
): Promise<Set<string>> {
  const { now, syntax, endpoints } = database
  const rows = outcomes
    .map(({ job, status, delayMs, attempt, error }) => ({
      id: job.id,
      fence: job.fence,
      endpoint_id: job.endpointId,
      new_status: status,
      delay_ms: delayMs,
      spent: attempt === undefined ? 0 : 1,
      status_code: attempt?.statusCode ?? null,
      error,
    }))
    // everybody locks jobs in this order
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  // what was to be sent again to an endpoint that was deleted meanwhile is cancelled
  const status =
    `case when r.new_status = 'pending' and exists (select 1 from ${endpoints} e where e.id = t.endpoint_id ` +
    `and e.deleted_at is not null) then 'cancelled' else r.new_status end`
  const found = await syntax.update(session, {
    table: database.jobs,
    rows: syntax.rows('$1', {
      id: 'uuid',
      fence: 'integer',
      endpoint_id: 'text',
      new_status: 'text',
      delay_ms: 'integer',
      spent: 'integer',
      status_code: 'integer',
      error: 'text',
    }),
    on: `t.id = r.id and t.fence = r.fence and t.status = 'processing'`,
    set: {
      next_attempt: `case when r.new_status = 'pending' then ${syntax.after(now, 'r.delay_ms')} end`,
      attempts: 't.attempts + r.spent',
      last_error: 'r.error',
      last_status_code: 'r.status_code',
      locked_by: 'null',
      locked_until: 'null',
      updated_at: now,
      // last: MySQL lets later expressions see it
      status,
    },
    returning: ['id'],
    params: [JSON.stringify(rows)],
  })
  return new Set(found.map(([id]) => id as string))
}

async function recordAttempts(
  database: Database,
  session: SqlSession,
  outcomes: readonly Outcome[],
): Promise<void> {
  const { syntax, deliveries, now } = database
  const rows = outcomes.flatMap(({ job, status, attempt, error }) =>
    attempt === undefined
      ? []
      : [
          {
            id: newId(),
            job_id: job.id,
            endpoint_id: job.endpointId,
            tenant_id: job.tenantId,
            event_id: job.eventId,
            event_type: job.eventType,
            attempt: job.attempts + 1,
            succeeded: status === 'completed' ? 1 : 0,
            status_code: attempt.statusCode,
            response_body: attempt.responseBody,
            error,
            duration_ms: attempt.durationMs,
          },
        ],
  )
  if (rows.length === 0) return
  const columns = Object.keys(rows[0] ?? {})
  const source = syntax.rows('$1', {
    id: 'uuid',
    job_id: 'uuid',
    endpoint_id: 'text',
    tenant_id: 'text',
    event_id: 'uuid',
    event_type: 'text',
    attempt: 'integer',
    succeeded: 'integer',
    status_code: 'integer',
    response_body: 'longtext',
    error: 'text',
    duration_ms: 'integer',
  })
  const list = columns.map((column) => (column === 'succeeded' ? 'r.succeeded = 1' : `r.${column}`))
  await session.query(
    `insert into ${deliveries} (${columns.join(', ')}, created_at) select ${list.join(', ')}, ${now} from ${source}`,
    [JSON.stringify(rows)],
  )
}

/** Breakers, windows, and when to look again. Endpoints that are well, and stay well, are left alone. */
async function settleHealth(
  context: SettleContext,
  session: SqlSession,
  outcomes: readonly Outcome[],
  unsettled: ReadonlySet<string>,
): Promise<string[]> {
  const { database } = context
  const { health, now, syntax } = database
  const tallies = tally(outcomes)
  const laned = new Set(outcomes.flatMap(({ job }) => (job.lane === null ? [] : [job.endpointId])))
  const waiting = new Set(
    outcomes.flatMap(({ job, status }) => (status === 'pending' ? [job.endpointId] : [])),
  )
  const touched = [...new Set(outcomes.map(({ job }) => job.endpointId))].filter(
    (id) => unsettled.has(id) || laned.has(id) || waiting.has(id) || (tallies.get(id)?.failures ?? 0) > 0,
  )
  if (touched.length === 0) return []
  const ids = syntax.rows('$1', { endpoint_id: 'text' })
  const states = await session.query(
    `select endpoint_id, breaker_state, breaker_failures, breaker_successes, send_window, ` +
      `case when failing_since is null then 0 else 1 end, ${syntax.between('failing_since', now)}, active from ${health} ` +
      `where endpoint_id in (select endpoint_id from ${ids}) order by endpoint_id${syntax.lock}`,
    [JSON.stringify(touched.map((id) => ({ endpoint_id: id })))],
  )
  const exhausted: string[] = []
  const rows = states.map((row) => {
    const id = row[0] as string
    const state: HealthState = {
      breaker: row[1] as BreakerState,
      failures: database.number(row[2]),
      successes: database.number(row[3]),
      window: database.number(row[4]),
      failing: isTrue(row[5]),
    }
    const counted = tallies.get(id) ?? { successes: 0, failures: 0 }
    const next = nextHealth(state, counted, {
      breakerFailures: context.breakerFailures,
      maxConcurrency: context.endpoint(id)?.maxConcurrency ?? 1,
    })
    const failingMs = row[6] === null || counted.successes > 0 ? 0 : database.number(row[6])
    const limit = context.disableAfterMs
    if (limit > 0 && counted.failures > 0 && failingMs >= limit && isTrue(row[7])) exhausted.push(id)
    return {
      endpoint_id: id,
      breaker: next.breaker,
      failures: next.failures,
      successes: next.successes,
      send_window: next.window,
      // 0: since never; 1: since then; 2: since now
      failing: next.failing ? (counted.successes > 0 ? 2 : 1) : 0,
      opened: next.opened ? 1 : 0,
    }
  })
  await syntax.update(session, {
    table: health,
    rows: syntax.rows('$1', {
      endpoint_id: 'text',
      breaker: 'text',
      failures: 'integer',
      successes: 'integer',
      send_window: 'integer',
      failing: 'integer',
      opened: 'integer',
    }),
    on: 't.endpoint_id = r.endpoint_id',
    set: {
      breaker_state: 'r.breaker',
      breaker_failures: 'r.failures',
      breaker_successes: 'r.successes',
      send_window: 'r.send_window',
      failing_since: `case r.failing when 0 then null when 1 then coalesce(t.failing_since, ${now}) else ${now} end`,
      not_before: `case when r.opened = 1 then ${syntax.after(now, '$2')} else t.not_before end`,
      due_at: `(select min(j.next_attempt) from ${database.jobs} j where j.endpoint_id = t.endpoint_id and j.status = 'pending')`,
    },
    params: [JSON.stringify(rows), context.breakerCooldownMs],
  })
  return exhausted
}

/** By endpoint: successes, and failures since the last one, in the order in which they came in. */
function tally(outcomes: readonly Outcome[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>()
  for (const { job, verdict } of outcomes) {
    if (verdict === undefined) continue
    const { successes, failures } = tallies.get(job.endpointId) ?? { successes: 0, failures: 0 }
    const next =
      verdict === 'up' ? { successes: successes + 1, failures: 0 } : { successes, failures: failures + 1 }
    tallies.set(job.endpointId, next)
  }
  return tallies
}
