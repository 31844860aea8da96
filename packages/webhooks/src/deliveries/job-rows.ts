import type { SqlRow } from '@varve/sql'
import { messageId } from '../ids.js'
import type { Database } from '../sql/database.js'
import { isTrue } from '../sql/syntax.js'
import type { JobStatus, WebhookDelivery, WebhookJob } from './job.js'

/** The select list that `jobDecoder` takes; `j` is the table. */
export function jobColumns(database: Database): string {
  const plain =
    'id, endpoint_id, tenant_id, event_id, event_type, position, generation, status, attempts, max_attempts, last_error, last_status_code'
  const times = ['next_attempt', 'created_at', 'updated_at'].map((column) =>
    database.timeColumn(`j.${column}`),
  )
  return [...plain.split(', ').map((column) => `j.${column}`), ...times].join(', ')
}

export function jobDecoder(database: Database): (row: SqlRow) => WebhookJob {
  return (row) => {
    const key = {
      endpointId: row[1] as string,
      tenantId: row[2] as string,
      eventId: row[3] as string,
      generation: database.number(row[6]),
    }
    const nextAttempt = database.timeOrNone(row[12])
    return {
      id: row[0] as string,
      messageId: messageId(key),
      ...key,
      eventType: row[4] as string,
      position: database.number(row[5]),
      status: row[7] as JobStatus,
      attempts: database.number(row[8]),
      maxAttempts: database.number(row[9]),
      ...(nextAttempt !== undefined && { nextAttempt }),
      ...(row[10] !== null && { lastError: row[10] as string }),
      ...(row[11] !== null && { lastStatusCode: database.number(row[11]) }),
      createdAt: database.time(row[13]),
      updatedAt: database.time(row[14]),
    }
  }
}

/** Attempts of jobs, in their order. */
export async function attemptsOf(database: Database, jobId: string): Promise<WebhookDelivery[]> {
  const text =
    `select id, attempt, succeeded, status_code, response_body, error, duration_ms, ${database.timeColumn('created_at')} ` +
    `from ${database.deliveries} where job_id = $1 order by created_at, id`
  return database.query(text, [jobId], (row) => ({
    id: row[0] as string,
    attempt: database.number(row[1]),
    succeeded: isTrue(row[2]),
    ...(row[3] !== null && { statusCode: database.number(row[3]) }),
    ...(row[4] !== null && { responseBody: row[4] as string }),
    ...(row[5] !== null && { error: row[5] as string }),
    durationMs: database.number(row[6]),
    createdAt: database.time(row[7]),
  }))
}
