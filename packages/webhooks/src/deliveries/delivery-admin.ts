import {
  copyOptions,
  flag,
  InvalidArgumentError,
  namesOf,
  oneOf,
  optionalName,
  wholeNumber,
} from '@varve/core'
import type { EventReader, EventStore } from '@varve/core'
import type { SqlSession } from '@varve/sql'
import type { EndpointStore } from '../endpoints/endpoint-store.js'
import { typesFilter } from '../endpoints/event-types.js'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import { holdRevision } from '../endpoints/revision.js'
import { noJob } from '../errors.js'
import { insertJobs } from '../fan-out/insert-jobs.js'
import { Conditions } from '../scope.js'
import type { Scope } from '../scope.js'
import type { Database, Query } from '../sql/database.js'
import { releaseLanes } from '../worker/lanes.js'
import type { JobFilter, JobStatus, WebhookDelivery, WebhookJob } from './job.js'
import { jobStatuses } from './job.js'
import { attemptsOf, jobColumns, jobDecoder } from './job-rows.js'
import { purge } from './purge.js'
import type { Purged, PurgeOptions } from './purge.js'

/** Part of the log, by positions, both inclusive. */
export interface ReplayOptions {
  endpointId: string
  from: number
  to: number
  /** Only events that the endpoint has no job for yet, such as those of a gap; `false` when absent. */
  onlyMissing?: boolean | undefined
}

export interface DeliveryContext {
  readonly store: EventStore
  readonly database: Database
  readonly endpoints: EndpointStore
  readonly historyMs: number
  /** Workers of this process look again. */
  readonly wake: () => void
}

const filterNames = namesOf<JobFilter>({
  endpointId: true,
  status: true,
  eventType: true,
  eventId: true,
  before: true,
  limit: true,
})
const replayNames = namesOf<ReplayOptions>({ endpointId: true, from: true, to: true, onlyMissing: true })
const EVENTS_AT_A_TIME = 500

/** Looks after what is owed and what was sent, within a scope. */
export class DeliveryAdmin {
  readonly #context: DeliveryContext
  readonly #scope: Scope

  constructor(context: DeliveryContext, scope: Scope) {
    this.#context = context
    this.#scope = scope
  }

  /** Jobs, newest first. */
  async list(filter?: JobFilter): Promise<WebhookJob[]> {
    const given = copyOptions<JobFilter>(filter, filterNames)
    const where = this.#within(new Conditions())
    where
      .equal('j.endpoint_id', optionalName(given.endpointId, 'endpointId'))
      .equal('j.event_type', optionalName(given.eventType, 'eventType'))
      .equal('j.event_id', given.eventId === undefined ? undefined : uuid(given.eventId, 'eventId'))
    if (given.status !== undefined)
      where.equal('j.status', oneOf(given.status, 'status', jobStatuses, 'pending'))
    if (given.before !== undefined) where.add(`j.id < ${where.bind(uuid(given.before, 'before'))}`)
    const limit = where.bind(wholeNumber(given.limit, 'limit', 100, { max: 1_000 }))
    const { database } = this.#context
    const text = `select ${jobColumns(database)} from ${database.jobs} j${where.where} order by j.id desc limit ${limit}`
    return database.query(text, where.params, jobDecoder(database))
  }

  /** Jobs that have used up their attempts, newest first. */
  deadLetters(filter?: Omit<JobFilter, 'status'>): Promise<WebhookJob[]> {
    return this.list({ ...filter, status: 'failed' })
  }

  /** A job and its attempts. */
  async get(jobId: string): Promise<(WebhookJob & { deliveries: WebhookDelivery[] }) | undefined> {
    const { database } = this.#context
    const found = await this.#find(database.query, jobId)
    return found && { ...found, deliveries: await attemptsOf(database, jobId) }
  }

  /**
   * Sends again what has failed or was cancelled, with as many attempts as the endpoint has; what waits, at once. Where
   * events go in order, it takes its turn.
   *
   * @throws InvalidArgumentError for a job that does not exist, was completed (replay it), or is under way.
   */
  async retry(jobId: string): Promise<WebhookJob> {
    const { database, wake } = this.#context
    const { jobs, now } = database
    const job = await this.#change(jobId, async (session, found, lane) => {
      if (found.status === 'completed' || found.status === 'processing') {
        throw new InvalidArgumentError(
          'jobId',
          `the job is ${found.status}; replay its event to send it once more`,
        )
      }
      const busy =
        lane === null
          ? []
          : await session.query(
              `select id from ${jobs} where endpoint_id = $1 and lane = $2 and id <> $3 and ` +
                `(status = 'processing' or (status = 'pending' and next_attempt is not null)) limit 1`,
              [found.endpointId, lane, jobId],
            )
      await session.query(
        `update ${jobs} set max_attempts = case when status = 'pending' then max_attempts else attempts + ` +
          `(select max_retries + 1 from ${database.endpoints} e where e.id = $2) end, lost = 0, ` +
          `next_attempt = ${busy.length > 0 ? 'null' : now}, status = 'pending', updated_at = ${now} where id = $1`,
        [jobId, found.endpointId],
      )
      await session.query(`update ${database.health} set due_at = ${now} where endpoint_id = $1 and active`, [
        found.endpointId,
      ])
    })
    wake()
    return job
  }

  /**
   * Gives up what waits, is under way (its answer no longer counts) or has failed; what waits behind it goes on.
   *
   * @throws InvalidArgumentError for a job that does not exist or was completed.
   */
  async cancel(jobId: string): Promise<WebhookJob> {
    const { database, wake } = this.#context
    const { jobs, now } = database
    const job = await this.#change(jobId, async (session, found, lane) => {
      if (found.status === 'completed') throw new InvalidArgumentError('jobId', 'the job is completed')
      await session.query(
        `update ${jobs} set status = 'cancelled', next_attempt = null, locked_until = null, locked_by = null, ` +
          `fence = fence + 1, updated_at = ${now} where id = $1`,
        [jobId],
      )
      const left = { job: { endpointId: found.endpointId, lane }, status: 'cancelled' as const }
      await releaseLanes(database, session, [left])
    })
    wake()
    return job
  }

  /**
   * Makes jobs for a part of the log once more: a new generation, with message ids of its own; the old ones stay. With
   * `onlyMissing`, only for events that have none.
   *
   * @throws InvalidArgumentError
   */
  async replay(options: ReplayOptions): Promise<{ generation: number; jobs: number }> {
    const given = copyOptions<ReplayOptions>(options, replayNames)
    const from = wholeNumber(given.from, 'from', 1)
    const to = wholeNumber(given.to, 'to', Number.MAX_SAFE_INTEGER)
    const onlyMissing = flag(given.onlyMissing, 'onlyMissing', false)
    const { database, endpoints, wake } = this.#context
    const endpoint = onlyMissing
      ? await endpoints.get(database.query, this.#scope, given.endpointId)
      : await endpoints.change(this.#scope, given.endpointId, async () => ({
          generation: { sql: 'generation + 1' },
        }))
    const generation = onlyMissing ? 0 : endpoint.generation
    let jobs = 0
    const insert = async (events: Parameters<typeof insertJobs>[2][number]['event'][]): Promise<void> => {
      jobs += events.length
      await database.transaction(async (session) => {
        await holdRevision(database, session)
        // deleted meanwhile, it would never be sent anything
        await endpoints.get((...query) => session.query(...query), this.#scope, endpoint.id)
        await insertJobs(
          database,
          session,
          events.map((event) => ({ endpoint, event, generation })),
        )
      })
      wake()
    }
    let chunk = []
    for await (const event of this.reader(endpoint).readAll({
      after: Math.max(0, from - 1),
      until: to,
      ...typesFilter(endpoint.events),
    })) {
      chunk.push(event)
      if (chunk.length < EVENTS_AT_A_TIME) continue
      const missing = onlyMissing ? await this.withoutJob(endpoint, chunk) : chunk
      chunk = []
      if (missing.length > 0) await insert(missing)
    }
    const missing = onlyMissing ? await this.withoutJob(endpoint, chunk) : chunk
    if (missing.length > 0) await insert(missing)
    await this.#closeGap(endpoint, from, to)
    return { generation, jobs }
  }

  /** Deletes old attempts and jobs that are done, in small batches. */
  purge(options?: PurgeOptions): Promise<Purged> {
    return purge(this.#context.database, this.#scope, this.#context.historyMs, options)
  }

  /** The log as the endpoint sees it. */
  reader(endpoint: StoredEndpoint): EventReader {
    const { store } = this.#context
    if (endpoint.tenantId === undefined) return store.allTenants()
    return endpoint.tenantId === store.tenantId ? store : store.forTenant(endpoint.tenantId)
  }

  /** Those of the events that the endpoint has no job for, of whatever generation. */
  async withoutJob<Event extends { id: string; tenantId: string }>(
    endpoint: StoredEndpoint,
    events: Event[],
  ): Promise<Event[]> {
    if (events.length === 0) return []
    const { database } = this.#context
    const rows = database.syntax.rows('$1', { tenant_id: 'text', event_id: 'uuid' })
    const found = await database.query(
      `select r.tenant_id, r.event_id from ${rows} where exists (select 1 from ${database.jobs} j where j.endpoint_id = $2 ` +
        'and j.tenant_id = r.tenant_id and j.event_id = r.event_id)',
      [
        JSON.stringify(events.map(({ id, tenantId }) => ({ tenant_id: tenantId, event_id: id }))),
        endpoint.id,
      ],
      ([tenantId, id]) => `${tenantId as string} ${id as string}`,
    )
    const has = new Set(found)
    return events.filter(({ id, tenantId }) => !has.has(`${tenantId} ${id}`))
  }

  /** All of the gap was made good, unless it has grown meanwhile. Not before: what broke off could be forgotten. */
  async #closeGap({ id, gap }: StoredEndpoint, from: number, to: number): Promise<void> {
    if (gap === undefined || from > gap.from || to < gap.to) return
    await this.#context.endpoints.change(this.#scope, id, async (_session, { gap: now }) =>
      now?.from === gap.from && now.to === gap.to ? { gap_from: null, gap_to: null } : {},
    )
  }

  #within(where: Conditions): Conditions {
    if (this.#scope.tenantId === undefined) return where
    const { endpoints } = this.#context.database
    // by whose endpoint it is: one over all tenants is none of a tenant's
    return where.add(
      `exists (select 1 from ${endpoints} e where e.id = j.endpoint_id and e.tenant_id = ${where.bind(this.#scope.tenantId)})`,
    )
  }

  async #find(query: Query, jobId: unknown, lock = ''): Promise<WebhookJob | undefined> {
    if (!isUuid(jobId)) return undefined
    const { database } = this.#context
    const where = this.#within(new Conditions().equal('j.id', jobId))
    const text = `select ${jobColumns(database)} from ${database.jobs} j${where.where}${lock}`
    return (await query(text, where.params, jobDecoder(database)))[0]
  }

  /** Work on a job and its endpoint's row, locked in this order, as workers do. */
  async #change(
    jobId: string,
    work: (session: SqlSession, job: WebhookJob, lane: string | null) => Promise<void>,
  ): Promise<WebhookJob> {
    const { database } = this.#context
    const { syntax, health, jobs } = database
    return database.transaction(async (session) => {
      const query: Query = (text, params, map) => session.query(text, params, map)
      const found = await this.#find(query, jobId, syntax.lock)
      if (found === undefined) throw noJob(jobId)
      const [row] = await session.query(`select lane from ${jobs} where id = $1`, [jobId])
      await session.query(`select endpoint_id from ${health} where endpoint_id = $1${syntax.lock}`, [
        found.endpointId,
      ])
      await work(session, found, row?.[0] as string | null)
      const after = await this.#find(query, jobId)
      return after ?? found
    })
  }
}

export type { JobStatus }

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)
}

function uuid(value: unknown, argument: string): string {
  const lower = typeof value === 'string' ? value.toLowerCase() : value
  if (isUuid(lower)) return lower
  throw new InvalidArgumentError(argument, 'must be a UUID')
}
