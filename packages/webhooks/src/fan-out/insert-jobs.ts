import type { RecordedEvent } from '@varve/core'
import type { SqlSession } from '@varve/sql'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import { laneOf, newId } from '../ids.js'
import type { Database } from '../sql/database.js'

/** An event owed to an endpoint, not yet stored. */
export interface Owed {
  readonly endpoint: StoredEndpoint
  readonly event: Pick<RecordedEvent, 'id' | 'tenantId' | 'type' | 'streamId' | 'position'>
  readonly generation: number
}

const ROWS_AT_A_TIME = 500

const columns = {
  id: 'uuid',
  endpoint_id: 'text',
  tenant_id: 'text',
  event_id: 'uuid',
  event_type: 'text',
  position: 'integer',
  generation: 'integer',
  lane: 'text',
  waits: 'integer',
  max_attempts: 'integer',
} as const

/**
 * Makes jobs; one that exists already is left as it is. Endpoints whose events go in order are locked first, so that no
 * job of theirs is done while it is decided which ones wait. Resolves to whether there were any.
 */
export async function insertJobs(
  database: Database,
  session: SqlSession,
  owed: readonly Owed[],
): Promise<boolean> {
  if (owed.length === 0) return false
  const ordered = owed.some(({ endpoint }) => endpoint.ordering === 'stream')
  const ids = [...new Set(owed.map(({ endpoint }) => endpoint.id))].toSorted()
  // in the order in which everybody locks them; at the end where nothing depends on it, as claims wait meanwhile
  if (ordered) await lockHealth(database, session, ids)
  const busy = ordered ? await busyLanes(database, session, owed) : new Set<string>()
  const rows = owed.map(({ endpoint, event, generation }) => {
    const lane = endpoint.ordering === 'stream' ? laneOf(event.tenantId, event.streamId) : null
    const key = `${endpoint.id} ${lane}`
    const waits = lane !== null && busy.has(key)
    if (lane !== null) busy.add(key)
    return {
      id: newId(),
      endpoint_id: endpoint.id,
      tenant_id: event.tenantId,
      event_id: event.id,
      event_type: event.type,
      position: event.position,
      generation,
      lane,
      waits: waits ? 1 : 0,
      max_attempts: endpoint.maxRetries + 1,
    }
  })
  for (let at = 0; at < rows.length; at += ROWS_AT_A_TIME) {
    await insertRows(database, session, rows.slice(at, at + ROWS_AT_A_TIME))
  }
  if (!ordered) await lockHealth(database, session, ids)
  await markDue(database, session, ids)
  return true
}

async function insertRows(database: Database, session: SqlSession, rows: readonly object[]): Promise<void> {
  const { syntax, jobs, now } = database
  const names = Object.keys(columns).filter((name) => name !== 'waits')
  const constants = {
    status: "'pending'",
    attempts: '0',
    lost: '0',
    fence: '0',
    created_at: now,
    updated_at: now,
  }
  const list = names.map((name) => `r.${name}`)
  const select =
    `select ${[...list, ...Object.values(constants)].join(', ')}, case when r.waits = 1 then null else ${now} end ` +
    `from ${syntax.rows('$1', columns)}`
  await session.query(syntax.insertNew(jobs, [...names, ...Object.keys(constants), 'next_attempt'], select), [
    JSON.stringify(rows),
  ])
}

async function lockHealth(database: Database, session: SqlSession, ids: readonly string[]): Promise<void> {
  const { syntax, health } = database
  if (syntax.lock === '') return
  await session.query(
    `select endpoint_id from ${health} where endpoint_id in (select endpoint_id from ${syntax.rows('$1', { endpoint_id: 'text' })}) ` +
      `order by endpoint_id${syntax.lock}`,
    [idRows(ids)],
  )
}

async function markDue(database: Database, session: SqlSession, ids: readonly string[]): Promise<void> {
  const { syntax, health, now } = database
  await syntax.update(session, {
    table: health,
    rows: syntax.rows('$1', { endpoint_id: 'text' }),
    on: `t.endpoint_id = r.endpoint_id and t.active and (t.due_at is null or t.due_at > ${now})`,
    set: { due_at: now },
    params: [idRows(ids)],
  })
}

/** Lanes in which something is under way, waits, or has failed for good where that blocks. */
async function busyLanes(
  database: Database,
  session: SqlSession,
  owed: readonly Owed[],
): Promise<Set<string>> {
  const { syntax, jobs } = database
  const lanes = new Map<string, object>()
  for (const { endpoint, event } of owed) {
    if (endpoint.ordering !== 'stream') continue
    const lane = laneOf(event.tenantId, event.streamId)
    lanes.set(`${endpoint.id} ${lane}`, {
      endpoint_id: endpoint.id,
      lane,
      blocking: endpoint.onExhausted === 'block' ? 1 : 0,
    })
  }
  const blocks = (status: string): string =>
    `exists (select 1 from ${jobs} j where j.endpoint_id = r.endpoint_id and j.lane = r.lane and j.status = '${status}')`
  const rows = await session.query(
    `select r.endpoint_id, r.lane from ${syntax.rows('$1', { endpoint_id: 'text', lane: 'text', blocking: 'integer' })} ` +
      `where ${blocks('pending')} or ${blocks('processing')} or (r.blocking = 1 and ${blocks('failed')})`,
    [JSON.stringify([...lanes.values()])],
  )
  return new Set(rows.map(([id, lane]) => `${id as string} ${lane as string}`))
}

function idRows(ids: readonly string[]): string {
  return JSON.stringify(ids.map((id) => ({ endpoint_id: id })))
}
