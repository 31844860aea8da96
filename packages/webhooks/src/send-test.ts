import type { Scope } from './scope.js'
import { newId, messageId } from './ids.js'
import type { EndpointStore } from './endpoints/endpoint-store.js'
import type { Sender } from './http/sender.js'
import type { ResolvedOptions } from './options.js'
import type { Database } from './sql/database.js'
import { DatabaseClock } from './worker/clock.js'
import { deliver } from './worker/deliver.js'
import type { EndpointCache } from './worker/endpoint-cache.js'
import { settle } from './worker/settle.js'

/** What came of a test. */
export interface TestResult {
  readonly ok: boolean
  /** Of the job that stands for it, with its one attempt. */
  readonly jobId: string
  readonly messageId: string
  readonly statusCode?: number
  readonly error?: string
  readonly durationMs: number
}

export interface TestContext {
  readonly database: Database
  readonly endpoints: EndpointStore
  readonly cache: EndpointCache
  readonly sender: Sender
  readonly options: ResolvedOptions
}

/** Sends a webhook that stands for no event, of the type `webhook.test`, at once, once, and also to a disabled endpoint. */
export async function sendTest(context: TestContext, scope: Scope, endpointId: string): Promise<TestResult> {
  const { database, endpoints, cache, sender, options } = context
  const endpoint = await endpoints.get(database.query, scope, endpointId)
  const ready = await cache.ready(database.query, endpoint)
  const { now, syntax, jobs } = database
  const job = {
    id: newId(),
    endpointId: endpoint.id,
    tenantId: endpoint.tenantId ?? 'default',
    eventId: newId(),
    eventType: 'webhook.test',
    position: 0,
    generation: 0,
    lane: null,
    attempts: 0,
    maxAttempts: 1,
    fence: 1,
  }
  const [row] = await database.query(`select ${database.timeColumn(now)}`)
  const clock = new DatabaseClock()
  clock.set(database.time(row?.[0]))
  const timestamp = new Date(clock.now).toISOString()
  const payload = JSON.stringify({ id: job.eventId, type: job.eventType, timestamp, data: { test: true } })
  await database.query(
    `insert into ${jobs} (id, endpoint_id, tenant_id, event_id, event_type, position, generation, payload, status, attempts, ` +
      `max_attempts, lost, fence, locked_by, locked_until, created_at, updated_at) ` +
      `values ($1, $2, $3, $4, $5, 0, 0, $6, 'processing', 0, 1, 0, 1, 'test', ${syntax.after(now, '$7')}, ${now}, ${now})`,
    [job.id, job.endpointId, job.tenantId, job.eventId, job.eventType, payload, options.leaseMs],
  )
  const claimed = { ...job, payload }
  const outcome = await deliver(
    { sender, options, now: () => clock.now },
    { job: claimed, endpoint, ready, event: undefined },
  )
  // a test says nothing about how the endpoint is doing with real events
  const { verdict: _1, disable: _2, ...silent } = outcome
  const settings = { ...options, database, endpoint: () => endpoint }
  await settle(settings, [silent], new Set(), true)
  return {
    ok: outcome.status === 'completed',
    jobId: job.id,
    messageId: messageId(claimed),
    ...(outcome.attempt?.statusCode !== null &&
      outcome.attempt?.statusCode !== undefined && { statusCode: outcome.attempt.statusCode }),
    ...(outcome.error !== null && { error: outcome.error }),
    durationMs: outcome.attempt?.durationMs ?? 0,
  }
}
