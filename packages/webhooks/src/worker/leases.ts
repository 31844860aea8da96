import { newId } from '../ids.js'
import type { Database } from '../sql/database.js'
import type { ClaimedJob } from './claim.js'
import { jobOf, jobColumns } from './claim.js'
import { releaseLanes } from './lanes.js'

// a job that takes its worker down each time must not go on for ever
const MAX_LOST = 10
const AT_A_TIME = 500

/** Holds jobs for longer. Resolves to those that are no longer this worker's. */
export async function renewLeases(
  database: Database,
  jobs: readonly ClaimedJob[],
  leaseMs: number,
): Promise<ClaimedJob[]> {
  if (jobs.length === 0) return []
  const { now, syntax } = database
  const rows = jobs.map(({ id, fence }) => ({ id, fence })).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const held = await database.transaction((session) =>
    syntax.update(session, {
      table: database.jobs,
      rows: syntax.rows('$1', { id: 'uuid', fence: 'integer' }),
      on: `t.id = r.id and t.fence = r.fence and t.status = 'processing'`,
      set: { locked_until: syntax.after(now, '$2') },
      returning: ['id'],
      params: [JSON.stringify(rows), leaseMs],
    }),
  )
  const ours = new Set(held.map(([id]) => id as string))
  return jobs.filter(({ id }) => !ours.has(id))
}

/**
 * Takes jobs back whose worker was not heard of again. Whether they were sent nobody knows: they are sent again, under the
 * same id, and no attempt is counted; the history says what happened.
 */
export async function reclaimLost(database: Database): Promise<number> {
  const { now, syntax, jobs, health, deliveries, endpoints: table } = database
  return database.transaction(async (session) => {
    const lost = await session.query(
      `select ${jobColumns.join(', ')} from ${jobs} where status = 'processing' and locked_until <= ${now} ` +
        `order by id limit ${AT_A_TIME}${syntax.lockFree}`,
      [],
      (row) => jobOf(database, row),
    )
    if (lost.length === 0) return 0
    const ids = JSON.stringify(lost.map(({ id }) => ({ id })))
    const status =
      `case when exists (select 1 from ${table} e where e.id = t.endpoint_id and e.deleted_at is not null) then 'cancelled' ` +
      `when t.lost + 1 >= ${MAX_LOST} then 'failed' else 'pending' end`
    await syntax.update(session, {
      table: jobs,
      rows: syntax.rows('$1', { id: 'uuid' }),
      on: 't.id = r.id',
      set: {
        next_attempt: `case when (${status}) = 'pending' then ${now} end`,
        status,
        fence: 't.fence + 1',
        last_error: "'the worker was not heard of again'",
        locked_by: 'null',
        locked_until: 'null',
        updated_at: now,
        lost: 't.lost + 1',
      },
      params: [ids],
    })
    const rows = lost.map((job) => ({ new_id: newId(), id: job.id, attempt: job.attempts + 1 }))
    await session.query(
      `insert into ${deliveries} (id, job_id, endpoint_id, tenant_id, event_id, event_type, attempt, succeeded, error, duration_ms, created_at) ` +
        `select r.new_id, j.id, j.endpoint_id, j.tenant_id, j.event_id, j.event_type, r.attempt, $2, ` +
        `'the worker was not heard of again: whether this was sent is not known', 0, ${now} ` +
        `from ${syntax.rows('$1', { new_id: 'uuid', id: 'uuid', attempt: 'integer' })} join ${jobs} j on j.id = r.id`,
      [JSON.stringify(rows), syntax.bool(false)],
    )
    const endpoints = [...new Set(lost.map(({ endpointId }) => endpointId))].toSorted()
    await syntax.update(session, {
      table: health,
      rows: syntax.rows('$1', { endpoint_id: 'text' }),
      on: 't.endpoint_id = r.endpoint_id',
      set: { due_at: now },
      params: [JSON.stringify(endpoints.map((id) => ({ endpoint_id: id })))],
    })
    // one that is to be sent again is still the head of its lane, and one that was given up lets the next one go
    await releaseLanes(
      database,
      session,
      lost.map((job) => ({ job, status: 'failed' })),
    )
    return lost.length
  })
}
