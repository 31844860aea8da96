import type { SqlSession } from '@varve/sql'
import type { Database } from '../sql/database.js'

/** Part of an outcome, or of a job that was cancelled. */
export interface LeftLane {
  readonly job: { readonly endpointId: string; readonly lane: string | null }
  readonly status: 'pending' | 'completed' | 'failed' | 'cancelled'
}

/**
 * Lets the next job of each lane go whose head is done. The endpoints' health rows must be locked: the fan-out holds them
 * while it looks whether a lane is free, so that no job can come to wait behind one that has just gone; and so does who
 * changes what becomes of a lane whose head has failed for good.
 */
export async function releaseLanes(
  database: Database,
  session: SqlSession,
  left: readonly LeftLane[],
): Promise<void> {
  const failed = left.filter(({ job, status }) => job.lane !== null && status === 'failed')
  const going = await goingOn(database, session, new Set(failed.map(({ job }) => job.endpointId)))
  const free = new Map<string, { endpointId: string; lane: string }>()
  for (const { job, status } of left) {
    if (job.lane === null || status === 'pending') continue
    if (status === 'failed' && !going.has(job.endpointId)) continue
    free.set(`${job.endpointId} ${job.lane}`, { endpointId: job.endpointId, lane: job.lane })
  }
  for (const { endpointId, lane } of free.values()) await releaseLane(database, session, endpointId, lane)
}

/** Lets what waits behind dead letters go. The endpoint's health row must be locked. */
export async function releaseBlocked(
  database: Database,
  session: SqlSession,
  endpointId: string,
): Promise<void> {
  const lanes = await session.query(
    `select distinct lane from ${database.jobs} where endpoint_id = $1 and status = 'failed' and lane is not null`,
    [endpointId],
  )
  for (const [lane] of lanes) await releaseLane(database, session, endpointId, lane as string)
}

/** Which of the endpoints go on behind what has failed for good. */
async function goingOn(
  { endpoints, syntax }: Database,
  session: SqlSession,
  ids: ReadonlySet<string>,
): Promise<Set<string>> {
  if (ids.size === 0) return new Set()
  const rows = await session.query(
    `select id from ${endpoints} where on_exhausted = 'skip' and id in ` +
      `(select endpoint_id from ${syntax.rows('$1', { endpoint_id: 'text' })})`,
    [JSON.stringify([...ids].map((id) => ({ endpoint_id: id })))],
  )
  return new Set(rows.map(([id]) => id as string))
}

async function releaseLane(
  database: Database,
  session: SqlSession,
  endpointId: string,
  lane: string,
): Promise<void> {
  const { jobs, health, now } = database
  // a job that was retried by hand may be ahead of its turn: then it is waited for
  const [next] = await session.query(
    `select id, next_attempt, status from ${jobs} where endpoint_id = $1 and lane = $2 and status in ('pending', 'processing') ` +
      `order by case when status = 'processing' or next_attempt is not null then 0 else 1 end, position, generation limit 1`,
    [endpointId, lane],
  )
  if (next === undefined || next[1] !== null || next[2] === 'processing') return
  await session.query(`update ${jobs} set next_attempt = ${now}, updated_at = ${now} where id = $1`, [
    next[0] as string,
  ])
  await session.query(
    `update ${health} set due_at = ${now} where endpoint_id = $1 and (due_at is null or due_at > ${now})`,
    [endpointId],
  )
}
