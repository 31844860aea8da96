import { sleep } from '@varve/core'
import type { ErrorAction, RetryPolicy } from '@varve/core'

export interface PolicyHooks {
  readonly signal: AbortSignal
  readonly report: (error: unknown, action: ErrorAction | 'retry') => void
  /** Whether there is no point in going on: the checkpoint has to be read again. */
  readonly over: () => boolean
}

export interface PolicyOutcome {
  readonly action: ErrorAction | 'done'
  readonly error: unknown
  readonly attempts: number
}

const MAX_BACKOFF_MS = 60_000

/** Tries the event again as often as the policy says; `again` gives the error, or nothing when it went well. */
export async function applyPolicy(
  policy: Readonly<RetryPolicy>,
  first: unknown,
  again: () => Promise<unknown>,
  hooks: PolicyHooks,
): Promise<PolicyOutcome> {
  let error = first
  let attempts = 1
  for (; attempts <= policy.retries; attempts++) {
    hooks.report(error, 'retry')
    const delay = Math.min(MAX_BACKOFF_MS, policy.backoffMs * 2 ** (attempts - 1))
    await sleep(delay, hooks.signal).catch(() => undefined)
    if (hooks.signal.aborted) return { action: 'done', error, attempts }
    const next = await again()
    if (next === undefined || hooks.over()) return { action: 'done', error: undefined, attempts }
    error = next
  }
  // a stop is reported by whoever carries it out
  if (policy.then !== 'stop') hooks.report(error, policy.then)
  return { action: policy.then, error, attempts }
}
