import { wholeNumber } from '@varve/core'
import { Conditions } from './scope.js'
import type { Scope } from './scope.js'
import type { Database } from './sql/database.js'
import { isTrue } from './sql/syntax.js'

/** A row of the view `webhook_stats`, and how requests of late went. */
export interface EndpointStats {
  readonly endpointId: string
  readonly tenantId?: string
  readonly url: string
  readonly enabled: boolean
  readonly jobs: {
    readonly total: number
    readonly pending: number
    readonly processing: number
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
  }
  /** Attempts, of the history that is kept. */
  readonly deliveries: { readonly total: number; readonly successful: number; readonly failed: number }
  /** Within `windowMs`; durations are absent when there was none. */
  readonly recent: {
    readonly deliveries: number
    readonly successful: number
    readonly failed: number
    readonly averageMs?: number
    readonly p50Ms?: number
    readonly p95Ms?: number
    readonly p99Ms?: number
  }
}

export interface StatsOptions {
  /** Of the recent part; an hour when absent. */
  windowMs?: number | undefined
}

const HOUR_MS = 3_600_000

export async function endpointStats(
  database: Database,
  scope: Scope,
  options?: StatsOptions,
): Promise<EndpointStats[]> {
  const windowMs = wholeNumber(options?.windowMs, 'windowMs', HOUR_MS, { min: 1 })
  const recent = await recentDeliveries(database, windowMs)
  const where = new Conditions().equal('tenant_id', scope.tenantId)
  const text =
    `select endpoint_id, tenant_id, url, enabled, total_jobs, pending_jobs, processing_jobs, completed_jobs, failed_jobs, ` +
    `cancelled_jobs, total_deliveries, successful_deliveries, failed_deliveries from ${database.stats}${where.where} order by endpoint_id`
  return database.query(text, where.params, (row) => {
    const number = (index: number): number => database.number(row[index])
    const endpointId = row[0] as string
    return {
      endpointId,
      ...(row[1] !== null && { tenantId: row[1] as string }),
      url: row[2] as string,
      enabled: isTrue(row[3]),
      jobs: {
        total: number(4),
        pending: number(5),
        processing: number(6),
        completed: number(7),
        failed: number(8),
        cancelled: number(9),
      },
      deliveries: { total: number(10), successful: number(11), failed: number(12) },
      recent: recent.get(endpointId) ?? { deliveries: 0, successful: 0, failed: 0 },
    }
  })
}

/** Percentiles by nearest rank, in words that every engine knows. */
async function recentDeliveries(
  database: Database,
  windowMs: number,
): Promise<Map<string, EndpointStats['recent']>> {
  const { deliveries, now, syntax } = database
  const at = (share: number): string => `min(case when place >= ${share} * total then duration_ms end)`
  const text =
    `select endpoint_id, max(total), sum(case when succeeded then 1 else 0 end), avg(duration_ms), ${at(0.5)}, ${at(0.95)}, ${at(0.99)} ` +
    `from (select endpoint_id, succeeded, duration_ms, row_number() over (partition by endpoint_id order by duration_ms) as place, ` +
    `count(*) over (partition by endpoint_id) as total from ${deliveries} where created_at > ${syntax.after(now, '$1')}) ranked group by endpoint_id`
  const rows = await database.query(text, [-windowMs], (row): [string, EndpointStats['recent']] => {
    const [total, successful] = [database.number(row[1]), database.number(row[2])]
    const recent = {
      deliveries: total,
      successful,
      failed: total - successful,
      averageMs: Math.round(Number(row[3]) * 10) / 10,
      p50Ms: database.number(row[4]),
      p95Ms: database.number(row[5]),
      p99Ms: database.number(row[6]),
    }
    return [row[0] as string, recent]
  })
  return new Map(rows)
}
