/** Requests at once that an endpoint gets before it has answered any: then twice as many with each round. */
export const INITIAL_WINDOW = 4
const SUCCESSES_TO_CLOSE = 2

export type BreakerState = 'closed' | 'open' | 'half_open'

/** How an endpoint is doing, of its row. */
export interface HealthState {
  readonly breaker: BreakerState
  readonly failures: number
  readonly successes: number
  readonly window: number
  readonly failing: boolean
}

export interface BreakerSettings {
  readonly breakerFailures: number
  readonly maxConcurrency: number
}

/** What came of some attempts: successes, and failures since the last of them. */
export interface Tally {
  readonly successes: number
  readonly failures: number
}

/** The state after some attempts; `opened` when the endpoint is to be left alone for a while from now on. */
export function nextHealth(
  state: HealthState,
  tally: Tally,
  { breakerFailures, maxConcurrency }: BreakerSettings,
): HealthState & { opened: boolean } {
  const failures = (tally.successes > 0 ? 0 : state.failures) + tally.failures
  const failing = tally.failures > 0 || (state.failing && tally.successes === 0)
  const window =
    tally.failures > 0
      ? Math.max(1, Math.floor(state.window / 2))
      : Math.min(maxConcurrency, state.window + tally.successes)
  if (state.breaker === 'closed') {
    const opened = failures >= breakerFailures
    return opened
      ? { breaker: 'open', failures, successes: 0, window: 1, failing, opened }
      : { breaker: 'closed', failures, successes: 0, window, failing, opened }
  }
  if (tally.failures > 0) return { breaker: 'open', failures, successes: 0, window: 1, failing, opened: true }
  const successes = state.successes + tally.successes
  return successes >= SUCCESSES_TO_CLOSE
    ? { breaker: 'closed', failures: 0, successes: 0, window: INITIAL_WINDOW, failing: false, opened: false }
    : { breaker: state.breaker, failures, successes, window: 1, failing, opened: false }
}

/** Whether a success would change anything: when not, none needs to be told. */
export function isSettled(state: HealthState, maxConcurrency: number): boolean {
  return (
    state.breaker === 'closed' && state.failures === 0 && !state.failing && state.window >= maxConcurrency
  )
}
