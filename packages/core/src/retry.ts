/** How the store repeats an append whose connection or transaction was lost. */
export interface RetryOptions {
  /** Tries in all, the first one counted; 5 when absent. */
  attempts?: number | undefined
  /** Before the second try; five times as long before each further one, give or take a fifth. 20 when absent. */
  baseDelayMs?: number | undefined
  /** No try begins later than this after the call; 10,000 when absent. */
  maxElapsedMs?: number | undefined
}

// the longest that a timer of JavaScript takes
const MAX_DELAY_MS = 2_147_483_647

/**
 * Milliseconds to wait before a retry: `baseDelayMs` times five to the power of `attempt`, give or take a fifth, so that
 * callers who failed together do not come back together. With the defaults, five tries span about three seconds.
 *
 * @param attempt 0 before the first retry
 * @param random from 0 to 1, exclusive
 */
export function backoffDelay(
  retry: { readonly baseDelayMs: number },
  attempt: number,
  random: () => number = Math.random,
): number {
  return Math.min(MAX_DELAY_MS, retry.baseDelayMs * 5 ** attempt * (0.8 + 0.4 * random()))
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
