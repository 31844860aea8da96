/** `pending` waits, `processing` is a worker's, `failed` has used up its attempts: a dead letter. */
export type JobStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled'

export const jobStatuses: readonly JobStatus[] = ['pending', 'processing', 'completed', 'failed', 'cancelled']

/** An event that is owed to an endpoint, or was. */
export interface WebhookJob {
  readonly id: string
  /** Its `webhook-id`, the same with each attempt. */
  readonly messageId: string
  readonly endpointId: string
  readonly tenantId: string
  readonly eventId: string
  readonly eventType: string
  /** Of the event; 0 for a test. */
  readonly position: number
  /** 0, and one more for each replay. */
  readonly generation: number
  readonly status: JobStatus
  readonly attempts: number
  readonly maxAttempts: number
  /** Absent when there is none, or when it waits for another event of its stream. */
  readonly nextAttempt?: Date
  readonly lastError?: string
  readonly lastStatusCode?: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** One attempt. */
export interface WebhookDelivery {
  readonly id: string
  readonly attempt: number
  readonly succeeded: boolean
  /** Absent when no answer came. */
  readonly statusCode?: number
  /** Its beginning. What was no UTF-8 reads U+FFFD. */
  readonly responseBody?: string
  readonly error?: string
  readonly durationMs: number
  readonly createdAt: Date
}

export interface JobFilter {
  endpointId?: string | undefined
  status?: JobStatus | undefined
  eventType?: string | undefined
  eventId?: string | undefined
  /** The id of a job: those before it, to page on with. */
  before?: string | undefined
  /** 100 when absent, at most 1,000. */
  limit?: number | undefined
}
