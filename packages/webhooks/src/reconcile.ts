import { copyOptions, namesOf, wholeNumber } from '@varve/core'
import type { RecordedEvent } from '@varve/core'
import type { DeliveryAdmin } from './deliveries/delivery-admin.js'
import { typesFilter } from './endpoints/event-types.js'
import type { StoredEndpoint } from './endpoints/endpoint-rows.js'
import type { Database } from './sql/database.js'

/** Part of the log, by positions, both inclusive. */
export interface ReconcileOptions {
  endpointId: string
  /** 1 when absent. */
  from?: number | undefined
  /** The end of the log when absent. */
  to?: number | undefined
}

export interface EventReference {
  readonly id: string
  readonly tenantId: string
  readonly type: string
  readonly position: number
}

export interface Reconciliation {
  /** Events in that part of the log that the endpoint wants. */
  readonly events: number
  /** Those without a job: must be empty once the fan-out has come so far. */
  readonly missing: readonly EventReference[]
  /** Those that no job has delivered yet: waiting, failed, cancelled, or missing. */
  readonly undelivered: readonly EventReference[]
}

const names = namesOf<ReconcileOptions>({ endpointId: true, from: true, to: true })
const EVENTS_AT_A_TIME = 500

/** Compares the log with the jobs of an endpoint, event by event. */
export async function reconcile(
  database: Database,
  deliveries: DeliveryAdmin,
  find: (id: unknown) => Promise<StoredEndpoint>,
  options: ReconcileOptions,
): Promise<Reconciliation> {
  const given = copyOptions<ReconcileOptions>(options, names)
  const endpoint = await find(given.endpointId)
  // what is older than the endpoint is not owed to it
  const from = Math.max(wholeNumber(given.from, 'from', 1), endpoint.startPosition + 1)
  const until = wholeNumber(given.to, 'to', Number.MAX_SAFE_INTEGER)
  const result = { events: 0, missing: [] as EventReference[], undelivered: [] as EventReference[] }
  let chunk: RecordedEvent[] = []
  const compare = async (): Promise<void> => {
    result.events += chunk.length
    result.missing.push(...(await deliveries.withoutJob(endpoint, chunk)).map(reference))
    result.undelivered.push(...(await undelivered(database, endpoint, chunk)).map(reference))
    chunk = []
  }
  for await (const event of deliveries
    .reader(endpoint)
    .readAll({ after: from - 1, until, ...typesFilter(endpoint.events) })) {
    chunk.push(event)
    if (chunk.length >= EVENTS_AT_A_TIME) await compare()
  }
  if (chunk.length > 0) await compare()
  return result
}

async function undelivered(
  database: Database,
  endpoint: StoredEndpoint,
  events: readonly RecordedEvent[],
): Promise<RecordedEvent[]> {
  const rows = database.syntax.rows('$1', { tenant_id: 'text', event_id: 'uuid' })
  const found = await database.query(
    `select r.tenant_id, r.event_id from ${rows} where exists (select 1 from ${database.jobs} j where j.endpoint_id = $2 ` +
      `and j.tenant_id = r.tenant_id and j.event_id = r.event_id and j.status = 'completed')`,
    [JSON.stringify(events.map(({ id, tenantId }) => ({ tenant_id: tenantId, event_id: id }))), endpoint.id],
    ([tenantId, id]) => `${tenantId as string} ${id as string}`,
  )
  const done = new Set(found)
  return events.filter(({ id, tenantId }) => !done.has(`${tenantId} ${id}`))
}

function reference({ id, tenantId, type, position }: RecordedEvent): EventReference {
  return { id, tenantId, type, position }
}
