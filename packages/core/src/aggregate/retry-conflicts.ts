import { isConcurrencyError } from '../errors.js'
import { wholeNumber } from '../option-values.js'
import { sleep } from '../retry.js'

/** How conflicts are dealt with: by reading everything again and deciding again. */
export interface ConflictRetryOptions {
  /** Further tries after the first one; 4 when absent. */
  retries?: number | undefined
  /** Before the second try; twice as long before each further one, give or take a half. 10 when absent. */
  baseDelayMs?: number | undefined
}

const MAX_DELAY_MS = 5_000

/** Milliseconds to wait: spread widely, so that those who met once do not meet again. */
export function conflictDelay(
  baseDelayMs: number,
  attempt: number,
  random: () => number = Math.random,
): number {
  return Math.min(MAX_DELAY_MS, baseDelayMs * 2 ** attempt) * (0.5 + random())
}

/**
 * Runs `work` until it meets no conflict. Nothing else is repeated.
 *
 * @param again what counts as a conflict beside a `ConcurrencyError`
 */
export async function retryConflicts<T>(
  options: ConflictRetryOptions,
  work: (attempt: number) => Promise<T>,
  again: (error: unknown) => boolean = () => false,
): Promise<T> {
  const retries = wholeNumber(options.retries, 'retries', 4)
  const baseDelayMs = wholeNumber(options.baseDelayMs, 'baseDelayMs', 10)
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt > retries || !(isConcurrencyError(error) || again(error))) throw error
    }
    await sleep(conflictDelay(baseDelayMs, attempt - 1))
  }
}
