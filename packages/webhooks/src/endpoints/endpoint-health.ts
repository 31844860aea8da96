import { noEndpoint } from '../errors.js'
import { Conditions } from '../scope.js'
import type { Scope } from '../scope.js'
import type { Database } from '../sql/database.js'
import { isTrue } from '../sql/syntax.js'
import type { BreakerState } from './health-state.js'

/** How an endpoint is doing. */
export interface EndpointHealth {
  readonly endpointId: string
  readonly enabled: boolean
  /** `'open'`: it is left alone until `pausedUntil`; `'half_open'`: one request at a time finds out. */
  readonly breaker: BreakerState
  readonly consecutiveFailures: number
  /** Since when it has failed, and only failed. */
  readonly failingSince?: Date
  /** Nothing is sent until then: an open breaker, a rate limit, or what `pausedReason` says. */
  readonly pausedUntil?: Date
  readonly pausedReason?: string
  readonly pending: number
  readonly processing: number
  /** Dead letters. */
  readonly failed: number
  /** How long the oldest job that could go out by now has been waiting; 0 when none does. */
  readonly oldestDueMs: number
}

/** @throws InvalidArgumentError for an endpoint that does not exist. */
export async function endpointHealth(database: Database, scope: Scope, id: unknown): Promise<EndpointHealth> {
  if (typeof id !== 'string') throw noEndpoint(id)
  const { health, endpoints, jobs, now, syntax } = database
  const count = (status: string): string =>
    `(select count(*) from ${jobs} j where j.endpoint_id = h.endpoint_id and j.status = '${status}')`
  const where = new Conditions()
    .add('e.deleted_at is null')
    .equal('e.id', id)
    .equal('e.tenant_id', scope.tenantId)
  const text =
    `select e.enabled, h.breaker_state, h.breaker_failures, ${database.timeColumn('h.failing_since')}, ` +
    `${database.timeColumn(`case when h.not_before > ${now} then h.not_before end`)}, h.hold_reason, ` +
    `${count('pending')}, ${count('processing')}, ${count('failed')}, ` +
    `(select ${syntax.between('min(j.next_attempt)', now)} from ${jobs} j where j.endpoint_id = h.endpoint_id and j.status = 'pending') ` +
    `from ${health} h join ${endpoints} e on e.id = h.endpoint_id${where.where}`
  const [found] = await database.query(text, where.params, (row): EndpointHealth => {
    const failingSince = database.timeOrNone(row[3])
    const pausedUntil = database.timeOrNone(row[4])
    return {
      endpointId: id,
      enabled: isTrue(row[0]),
      breaker: row[1] as BreakerState,
      consecutiveFailures: database.number(row[2]),
      ...(failingSince !== undefined && { failingSince }),
      ...(pausedUntil !== undefined && { pausedUntil }),
      ...(pausedUntil !== undefined && row[5] !== null && { pausedReason: row[5] as string }),
      pending: database.number(row[6]),
      processing: database.number(row[7]),
      failed: database.number(row[8]),
      oldestDueMs: row[9] === null ? 0 : Math.max(0, database.number(row[9])),
    }
  })
  if (found === undefined) throw noEndpoint(id)
  return found
}
