import type { SqlRow, SqlSession } from '@varve/sql'
import type { BreakerState } from '../endpoints/health-state.js'
import type { HealthState } from '../endpoints/health-state.js'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import type { Database } from '../sql/database.js'
import { isTrue } from '../sql/syntax.js'
import { allowance, shares } from './allowance.js'

/** A job that is this worker's for now. */
export interface ClaimedJob {
  readonly id: string
  readonly endpointId: string
  readonly tenantId: string
  readonly eventId: string
  readonly eventType: string
  readonly position: number
  readonly generation: number
  readonly lane: string | null
  readonly payload: string | null
  readonly attempts: number
  readonly maxAttempts: number
  /** Under which an answer counts. */
  readonly fence: number
}

export interface Claim {
  /** The database's clock. */
  readonly now: Date
  readonly jobs: readonly ClaimedJob[]
  /** By endpoint: whether a success need not be told. */
  readonly health: ReadonlyMap<string, HealthState>
  /** Milliseconds until something may be due; 0 when somebody else holds what is due now. */
  readonly nextInMs: number | undefined
  /** Where the next round begins. */
  readonly cursor: string
}

export interface ClaimRequest {
  readonly free: number
  readonly workerId: string
  readonly leaseMs: number
  /** The endpoint that came last in the round before. */
  readonly cursor: string
  readonly endpointsOf: (
    session: SqlSession,
    revisions: ReadonlyMap<string, number>,
  ) => Promise<ReadonlyMap<string, StoredEndpoint>>
}

export interface DueEndpoint extends HealthState {
  readonly endpointId: string
  readonly revision: number
  readonly inFlight: number
  readonly tokens: number
  /** Since `tokens` was written. */
  readonly tokensAgeMs: number | undefined
}

const ENDPOINTS_AT_A_TIME = 64

/** What `jobOf` takes. */
export const jobColumns = [
  'id',
  'endpoint_id',
  'tenant_id',
  'event_id',
  'event_type',
  'position',
  'generation',
  'lane',
  'payload',
  'attempts',
  'max_attempts',
  'fence',
] as const

/** Takes due jobs: at most `free`, from as many endpoints as possible, none above what it may have at a time. */
export async function claim(database: Database, request: ClaimRequest): Promise<Claim> {
  return database.transaction(async (session) => {
    const { now, due } = await lockDue(database, session, request.cursor)
    if (now === undefined || due.length === 0) return nothing(database, session, now, request.cursor, [])
    const configs = await request.endpointsOf(
      session,
      new Map(due.map((each) => [each.endpointId, each.revision])),
    )
    const asked = due.map((each) => ({ due: each, ...allowance(each, configs.get(each.endpointId)) }))
    const wanted = shares(asked, request.free)
    const jobs = wanted.length === 0 ? [] : await take(database, session, wanted, request)
    await noteTaken(database, session, asked, wanted, jobs)
    const health = new Map(due.map((each) => [each.endpointId, each]))
    const cursor = due.at(-1)?.endpointId ?? ''
    if (jobs.length === 0)
      return nothing(
        database,
        session,
        now,
        cursor,
        asked.map(({ due: each }) => each.endpointId),
      )
    return { now, jobs, health, nextInMs: 0, cursor }
  })
}

/** Endpoints with due jobs, from the cursor on, and round again; those that another worker holds are passed over. */
async function lockDue(database: Database, session: SqlSession, cursor: string) {
  const { health, jobs, now, syntax } = database
  const text =
    `select endpoint_id, revision, breaker_state, breaker_failures, breaker_successes, send_window, ` +
    `case when failing_since is null then 0 else 1 end, tokens, ${syntax.between('tokens_at', now)}, ` +
    `(select count(*) from ${jobs} j where j.endpoint_id = h.endpoint_id and j.status = 'processing'), ` +
    `${database.timeColumn(now)} from ${health} h ` +
    `where active and due_at <= ${now} and (not_before is null or not_before <= ${now}) ` +
    `order by case when endpoint_id > $1 then 0 else 1 end, endpoint_id limit ${ENDPOINTS_AT_A_TIME}${syntax.lockFree}`
  let at: Date | undefined
  const due = await session.query<DueEndpoint>(text, [cursor], (row) => {
    at = database.time(row[10])
    return {
      endpointId: row[0] as string,
      revision: database.number(row[1]),
      breaker: row[2] as BreakerState,
      failures: database.number(row[3]),
      successes: database.number(row[4]),
      window: database.number(row[5]),
      failing: isTrue(row[6]),
      tokens: Number(row[7]),
      tokensAgeMs: row[8] === null ? undefined : database.number(row[8]),
      inFlight: database.number(row[9]),
    }
  })
  return { now: at, due }
}

export function jobOf(database: Database, row: SqlRow): ClaimedJob {
  return {
    id: row[0] as string,
    endpointId: row[1] as string,
    tenantId: row[2] as string,
    eventId: row[3] as string,
    eventType: row[4] as string,
    position: database.number(row[5]),
    generation: database.number(row[6]),
    lane: row[7] as string | null,
    payload: row[8] as string | null,
    attempts: database.number(row[9]),
    maxAttempts: database.number(row[10]),
    fence: database.number(row[11]),
  }
}

async function take(
  database: Database,
  session: SqlSession,
  wanted: readonly { endpointId: string; count: number }[],
  { workerId, leaseMs }: ClaimRequest,
): Promise<ClaimedJob[]> {
  const { syntax, jobs } = database
  const rows = await syntax.take(session, { jobs, columns: jobColumns, wanted, workerId, leaseMs })
  return rows.map((row) => jobOf(database, row))
}

type Asked = { readonly due: DueEndpoint } & ReturnType<typeof allowance>

/** Writes down what has changed: nothing left that is due, tokens spent, a breaker that is trying. */
async function noteTaken(
  database: Database,
  session: SqlSession,
  asked: readonly Asked[],
  wanted: readonly { endpointId: string; count: number }[],
  jobs: readonly ClaimedJob[],
): Promise<void> {
  const taken = new Map<string, number>()
  for (const { endpointId } of jobs) taken.set(endpointId, (taken.get(endpointId) ?? 0) + 1)
  const wantedOf = new Map(wanted.map(({ endpointId, count }) => [endpointId, count]))
  const rows = asked.flatMap(({ due, tokens, tokenWaitMs }) => {
    const count = taken.get(due.endpointId) ?? 0
    const drained = count < (wantedOf.get(due.endpointId) ?? 0)
    const trying = due.breaker === 'open' && count > 0
    if (!drained && !trying && tokens === undefined) return []
    const left = tokens === undefined ? undefined : tokens - count
    return [
      {
        endpoint_id: due.endpointId,
        drained: drained ? 1 : 0,
        trying: trying ? 1 : 0,
        // whole thousandths, as numbers of JSON are read as whole ones
        millitokens: left === undefined ? null : Math.round(left * 1000),
        wait_ms: left !== undefined && left < 1 ? tokenWaitMs(left) : 0,
      },
    ]
  })
  if (rows.length === 0) return
  const { health, now, syntax } = database
  await syntax.update(session, {
    table: health,
    rows: syntax.rows('$1', {
      endpoint_id: 'text',
      drained: 'integer',
      trying: 'integer',
      millitokens: 'integer',
      wait_ms: 'integer',
    }),
    on: 't.endpoint_id = r.endpoint_id',
    set: {
      due_at:
        `case when r.drained = 1 then (select min(j.next_attempt) from ${database.jobs} j ` +
        `where j.endpoint_id = t.endpoint_id and j.status = 'pending') else t.due_at end`,
      breaker_state: `case when r.trying = 1 then 'half_open' else t.breaker_state end`,
      tokens_at: `case when r.millitokens is null then t.tokens_at else ${now} end`,
      tokens: 'case when r.millitokens is null then t.tokens else r.millitokens / 1000.0 end',
      not_before: `case when r.wait_ms > 0 then ${syntax.after(now, 'r.wait_ms')} else t.not_before end`,
    },
    params: [JSON.stringify(rows)],
  })
}

/** When to look again: the earliest time at which something is due, of endpoints beside those that are at their limit. */
async function nothing(
  database: Database,
  session: SqlSession,
  now: Date | undefined,
  cursor: string,
  atLimit: readonly string[],
): Promise<Claim> {
  const { health, syntax } = database
  const when = 'case when not_before > due_at then not_before else due_at end'
  const [row] = await session.query(
    `select min(${syntax.between(database.now, when)}), ${database.timeColumn(database.now)} from ${health} ` +
      `where active and due_at is not null and endpoint_id not in (select endpoint_id from ${syntax.rows('$1', { endpoint_id: 'text' })})`,
    [JSON.stringify(atLimit.map((id) => ({ endpoint_id: id })))],
  )
  const next = row?.[0] ?? null
  return {
    now: now ?? database.time(row?.[1]),
    jobs: [],
    health: new Map(),
    cursor,
    nextInMs: next === null ? undefined : Math.max(0, database.number(next)),
  }
}
