import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import { retryDelay } from '../endpoints/retry-policy.js'
import type { Answer } from '../http/sender.js'
import { retryAfterMs } from '../http/retry-after.js'
import type { ClaimedJob } from './claim.js'
import type { Outcome } from './outcome.js'

/** What is to become of a job, by the answer to its request. Only 2xx is a success. */
export function decide(job: ClaimedJob, endpoint: StoredEndpoint, answer: Answer, now: number): Outcome {
  const { statusCode, failure } = answer
  const attempt = {
    statusCode: statusCode ?? null,
    responseBody: statusCode === undefined ? null : answer.body,
    durationMs: answer.durationMs,
  }
  if (failure === undefined && statusCode !== undefined && statusCode >= 200 && statusCode < 300) {
    return { job, status: 'completed', delayMs: 0, attempt, error: null, verdict: 'up' }
  }
  // the worker was stopped before it knew: the attempt is given back, and made again under the same id
  if (failure?.kind === 'stopped') return { job, status: 'pending', delayMs: 0, error: failure.text }

  const error = failure?.text ?? `answered ${statusCode}`
  if (failure?.kind === 'refused' || failure?.kind === 'unusable')
    return { job, status: 'failed', delayMs: 0, attempt, error }
  if (statusCode === 410) {
    return { job, status: 'failed', delayMs: 0, attempt, error, verdict: 'down', disable: 'gone' }
  }
  const made = job.attempts + 1
  if (made >= job.maxAttempts) return { job, status: 'failed', delayMs: 0, attempt, error, verdict: 'down' }
  const asked = statusCode === 429 || statusCode === 503 ? retryAfterMs(answer.retryAfter, now) : undefined
  const delayMs = Math.max(retryDelay(endpoint.retry, made), asked ?? 0)
  return { job, status: 'pending', delayMs, attempt, error, verdict: 'down' }
}

/** A job that cannot be sent at all, now or later. */
export function unsendable(job: ClaimedJob, error: string): Outcome {
  return {
    job,
    status: 'failed',
    delayMs: 0,
    attempt: { statusCode: null, responseBody: null, durationMs: 0 },
    error,
  }
}

/** A job given back as it was claimed. */
export function givenBack(job: ClaimedJob, error: string | null = null): Outcome {
  return { job, status: 'pending', delayMs: 0, error }
}
