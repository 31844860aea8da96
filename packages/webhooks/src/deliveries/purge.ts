import { copyOptions, flag, namesOf, wholeNumber } from '@varve/core'
import type { SqlValue } from '@varve/sql'
import { DAY } from '../endpoints/retry-policy.js'
import { idBefore } from '../ids.js'
import type { Scope } from '../scope.js'
import type { Database } from '../sql/database.js'

export interface PurgeOptions {
  /** What is older goes; as `historyMs` says when absent. */
  olderThanMs?: number | undefined
  /** Dead letters too; `false` when absent. */
  failed?: boolean | undefined
  /** Rows deleted in one go; 1,000 when absent. */
  batchSize?: number | undefined
  /** Batches at most; as many as it takes when absent. */
  batches?: number | undefined
}

export interface Purged {
  readonly deliveries: number
  readonly jobs: number
}

const names = namesOf<PurgeOptions>({ olderThanMs: true, failed: true, batchSize: true, batches: true })

const LONGEST = 100 * 365 * DAY

/** Deletes old history in batches, each one committed by itself: workers wait for no more than one of them. */
export async function purge(
  database: Database,
  { tenantId }: Scope,
  historyMs: number,
  options?: PurgeOptions,
): Promise<Purged> {
  const given = copyOptions<PurgeOptions>(options, names)
  const olderThanMs = wholeNumber(given.olderThanMs, 'olderThanMs', historyMs, { max: LONGEST })
  const batchSize = wholeNumber(given.batchSize, 'batchSize', 1_000, { min: 1, max: 10_000 })
  const batches = wholeNumber(given.batches, 'batches', Number.MAX_SAFE_INTEGER, { min: 1 })
  const done = flag(given.failed, 'failed', false)
    ? "'completed', 'cancelled', 'failed'"
    : "'completed', 'cancelled'"
  const { deliveries, jobs, endpoints, now, syntax } = database
  const own =
    tenantId === undefined
      ? ''
      : ` and exists (select 1 from ${endpoints} e where e.id = t.endpoint_id and e.tenant_id = $2)`
  const old = syntax.after(now, '$1')
  const params: SqlValue[] = tenantId === undefined ? [-olderThanMs] : [-olderThanMs, tenantId]

  // what waits behind a dead letter would wait for ever
  const awaited =
    `t.status = 'failed' and t.lane is not null and exists (select 1 from ${jobs} w ` +
    `where w.endpoint_id = t.endpoint_id and w.lane = t.lane and w.status = 'pending')`

  const removed = { deliveries: 0, jobs: 0 }
  const sources = [
    ['deliveries', deliveries, `created_at < ${old}`, 'true'],
    // an attempt that is kept keeps its job; the id only bounds the scan, by a clock that may be off
    [
      'jobs',
      jobs,
      `t.id < '${idBefore(Date.now() - olderThanMs + DAY)}' and status in (${done}) and updated_at < ${old} and not exists (select 1 from ${deliveries} d where d.job_id = t.id) and not (${awaited})`,
      // one that was retried since it was looked for stays
      `status in (${done})`,
    ],
  ] as const
  for (const [name, table, condition, still] of sources) {
    for (let batch = 0; batch < batches; batch++) {
      const order = name === 'deliveries' ? 'created_at' : 'id'
      const select = `select t.id from ${table} t where ${condition}${own} order by t.${order} limit ${batchSize}`
      const ids = await database.query(select, params, ([id]) => ({ id: id as string }))
      if (ids.length === 0) break
      await database.query(syntax.remove(table, syntax.rows('$1', { id: 'uuid' }), still), [
        JSON.stringify(ids),
      ])
      removed[name] += ids.length
      if (ids.length < batchSize) break
    }
  }
  return removed
}
