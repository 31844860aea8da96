import type { ClaimedJob } from './claim.js'

/** What came of a claimed job. */
export interface Outcome {
  readonly job: ClaimedJob
  readonly status: 'pending' | 'completed' | 'failed'
  /** For a job that is to be tried again. */
  readonly delayMs: number
  /** Whether it counts as an attempt; a job given back unsent does not. */
  readonly attempt?: Attempt
  readonly error: string | null
  /** What it says about the endpoint; nothing when the job itself was at fault, or nothing was sent. */
  readonly verdict?: 'up' | 'down'
  /** Disables the endpoint. */
  readonly disable?: 'gone'
}

/** What is recorded of a request. */
export interface Attempt {
  readonly statusCode: number | null
  readonly responseBody: string | null
  readonly durationMs: number
}
