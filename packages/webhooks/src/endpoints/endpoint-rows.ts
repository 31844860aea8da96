import type { SqlRow } from '@varve/sql'
import type { Database } from '../sql/database.js'
import { isTrue } from '../sql/syntax.js'
import type { Endpoint, OnExhausted, Ordering } from './endpoint.js'
import type { RetryPolicy } from './retry-policy.js'

/** An endpoint as it is stored. */
export interface StoredEndpoint extends Endpoint {
  readonly startPosition: number
  readonly generation: number
  readonly revision: number
  /** Values as they are encrypted. */
  readonly sealedHeaders: Readonly<Record<string, string>>
}

const columns = [
  'id',
  'tenant_id',
  'url',
  'event_filter',
  'description',
  'custom_headers',
  'timeout_ms',
  'max_retries',
  'retry_policy',
  'ordering',
  'on_exhausted',
  'max_concurrency',
  'rate_limit',
  'enabled',
  'disabled_reason',
  'gap_from',
  'gap_to',
  'start_position',
  'generation',
  'revision',
]

/** The select list that `endpointDecoder` takes. */
export function endpointColumns(database: Database): string {
  const times = ['disabled_at', 'created_at', 'updated_at'].map((column) => database.timeColumn(column))
  return [...columns, ...times].join(', ')
}

export function endpointDecoder(database: Database): (row: SqlRow) => StoredEndpoint {
  const { decode } = database.access.dialect
  const optional = (value: unknown) => (value === null ? undefined : decode.number(value))
  return (row) => {
    const sealedHeaders = decode.json(row[5]) as Record<string, string>
    const [rateLimit, gapFrom, gapTo] = [optional(row[12]), optional(row[15]), optional(row[16])]
    const disabledAt = database.timeOrNone(row[20])
    return {
      id: row[0] as string,
      ...(row[1] !== null && { tenantId: row[1] as string }),
      url: row[2] as string,
      events: decode.json(row[3]) as string[],
      description: row[4] as string,
      headerNames: Object.keys(sealedHeaders),
      timeoutMs: decode.number(row[6]),
      maxRetries: decode.number(row[7]),
      retry: decode.json(row[8]) as unknown as RetryPolicy,
      ordering: row[9] as Ordering,
      onExhausted: row[10] as OnExhausted,
      maxConcurrency: decode.number(row[11]),
      ...(rateLimit !== undefined && { rateLimit }),
      enabled: isTrue(row[13]),
      ...(row[14] !== null && { disabledReason: row[14] as string }),
      ...(disabledAt !== undefined && { disabledAt }),
      ...(gapFrom !== undefined && gapTo !== undefined && { gap: { from: gapFrom, to: gapTo } }),
      createdAt: database.time(row[21]),
      updatedAt: database.time(row[22]),
      startPosition: decode.number(row[17]),
      generation: decode.number(row[18]),
      revision: decode.number(row[19]),
      sealedHeaders,
    }
  }
}

/** What users get to see: nothing of how it is stored. */
export function publicEndpoint(stored: StoredEndpoint): Endpoint {
  const { startPosition: _1, generation: _2, revision: _3, sealedHeaders: _4, ...endpoint } = stored
  return endpoint
}
