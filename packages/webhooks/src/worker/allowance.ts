import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import type { DueEndpoint } from './claim.js'

export interface Allowance {
  /** How many more requests the endpoint may have at this moment. */
  readonly count: number
  /** With a rate limit: what its bucket holds. */
  readonly tokens: number | undefined
  /** How long until the bucket holds a whole token. */
  readonly tokenWaitMs: (left: number) => number
}

/** What an endpoint may have now, by its concurrency, what it has earned of it, its breaker and its rate limit. */
export function allowance(due: DueEndpoint, endpoint: StoredEndpoint | undefined): Allowance {
  if (endpoint === undefined) return { count: 0, tokens: undefined, tokenWaitMs: () => 0 }
  const atOnce = due.breaker === 'closed' ? Math.min(due.window, endpoint.maxConcurrency) : 1
  const slots = Math.max(0, atOnce - due.inFlight)
  const rate = endpoint.rateLimit
  if (rate === undefined) return { count: slots, tokens: undefined, tokenWaitMs: () => 0 }
  const tokens = Math.min(
    rate,
    due.tokensAgeMs === undefined ? rate : due.tokens + (due.tokensAgeMs / 1000) * rate,
  )
  return {
    count: Math.min(slots, Math.floor(tokens + 1e-6)),
    tokens,
    tokenWaitMs: (left) => Math.ceil(((1 - left) / rate) * 1000),
  }
}

/** Shares free places out: the same number to each, and never more than one may have. */
export function shares(
  asked: readonly { readonly due: { readonly endpointId: string }; readonly count: number }[],
  free: number,
): { endpointId: string; count: number }[] {
  const able = asked.filter(({ count }) => count > 0).slice(0, free)
  const result: { endpointId: string; count: number }[] = []
  let left = free
  // those who can take least first, so that what they leave goes to the others
  for (const [index, { due, count }] of able.toSorted((a, b) => a.count - b.count).entries()) {
    const share = Math.min(count, Math.floor(left / (able.length - index)))
    if (share > 0) result.push({ endpointId: due.endpointId, count: share })
    left -= share
  }
  return result
}
