import type { SqlSession } from '@varve/sql'
import type { OnExhausted } from '../endpoints/endpoint.js'
import type { Database } from '../sql/database.js'

/** Part of an outcome, or of a job that was cancelled. */
export interface LeftLane {
  readonly job: { readonly endpointId: string; readonly lane: string | null }
  readonly status: 'pending' | 'completed' | 'failed' | 'cancelled'
}

/**
 * Lets the next job of each lane go whose head is done. The endpoints' health rows must be locked: the fan-out holds them
 * while it looks whether a lane is free, so that no job can come to wait behind one that has just gone.
 */
export async function releaseLanes(
  database: Database,
  session: SqlSession,
  left: readonly LeftLane[],
  onExhausted: (endpointId: string) => OnExhausted,
): Promise<void> {
  const free = new Map<string, { endpointId: string; lane: string }>()
  for (const { job, status } of left) {
    if (job.lane === null || status === 'pending') continue
    if (status === 'failed' && onExhausted(job.endpointId) === 'block') continue
    free.set(`${job.endpointId} ${job.lane}`, { endpointId: job.endpointId, lane: job.lane })
  }
  for (const { endpointId, lane } of free.values()) await releaseLane(database, session, endpointId, lane)
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
