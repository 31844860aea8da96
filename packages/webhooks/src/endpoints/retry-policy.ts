import { copyOptions, InvalidArgumentError, namesOf, wholeNumber } from '@varve/core'

/** How long to wait before a further attempt. A tenth is added at random, so that what failed together comes back apart. */
export type RetryPolicy =
  /** One delay per retry; the last one is repeated when there are more retries. */
  | { readonly kind: 'schedule'; readonly delaysMs: readonly number[] }
  /** `baseMs`, then twice as long each time, at most `maxMs`. */
  | { readonly kind: 'exponential'; readonly baseMs: number; readonly maxMs: number }
  /** `stepMs`, twice, three times … as long, at most `maxMs`. */
  | { readonly kind: 'linear'; readonly stepMs: number; readonly maxMs: number }
  | { readonly kind: 'fixed'; readonly delayMs: number }

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const LONGEST = 30 * DAY

/** The first attempt is made at once; then after these. */
export const defaultSchedule: RetryPolicy = Object.freeze({
  kind: 'schedule',
  delaysMs: Object.freeze([
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
  ]),
})

/** How many retries there are when nobody says. */
export function defaultRetries(policy: RetryPolicy): number {
  return policy.kind === 'schedule' ? policy.delaysMs.length : 9
}

/**
 * Milliseconds to wait before the retry that follows on the given number of attempts.
 *
 * @param random from 0 to 1, exclusive
 */
export function retryDelay(
  policy: RetryPolicy,
  attempts: number,
  random: () => number = Math.random,
): number {
  const plain = plainDelay(policy, Math.max(1, attempts))
  return Math.round(plain * (1 + 0.1 * random()))
}

function plainDelay(policy: RetryPolicy, attempts: number): number {
  switch (policy.kind) {
    case 'schedule':
      return policy.delaysMs[Math.min(attempts, policy.delaysMs.length) - 1] ?? 0
    case 'exponential':
      return Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempts - 1, 40))
    case 'linear':
      return Math.min(policy.maxMs, policy.stepMs * attempts)
    default:
      return policy.delayMs
  }
}

interface PolicyOptions {
  kind: string
  delaysMs: readonly number[]
  baseMs: number
  stepMs: number
  delayMs: number
  maxMs: number
}

const names = namesOf<PolicyOptions>({
  kind: true,
  delaysMs: true,
  baseMs: true,
  stepMs: true,
  delayMs: true,
  maxMs: true,
})

/** @throws InvalidArgumentError */
export function resolveRetryPolicy(value: unknown, argument = 'retry'): RetryPolicy {
  if (value === undefined) return defaultSchedule
  const given = copyOptions<PolicyOptions>(value, names, argument)
  const ms = (name: 'baseMs' | 'stepMs' | 'delayMs' | 'maxMs', absent: number) =>
    wholeNumber(given[name], `${argument}.${name}`, absent, { min: 0, max: LONGEST })
  switch (given.kind) {
    case 'schedule':
      return { kind: 'schedule', delaysMs: delays(given.delaysMs, `${argument}.delaysMs`) }
    case 'exponential':
      return { kind: 'exponential', baseMs: ms('baseMs', SECOND), maxMs: ms('maxMs', HOUR) }
    case 'linear':
      return { kind: 'linear', stepMs: ms('stepMs', MINUTE), maxMs: ms('maxMs', HOUR) }
    case 'fixed':
      return { kind: 'fixed', delayMs: ms('delayMs', MINUTE) }
    default:
      throw new InvalidArgumentError(
        `${argument}.kind`,
        "must be 'schedule', 'exponential', 'linear' or 'fixed'",
      )
  }
}

function delays(value: unknown, argument: string): readonly number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    throw new InvalidArgumentError(argument, 'must be an array of 1 to 100 delays in milliseconds')
  }
  return value.map((delay: unknown, index) =>
    wholeNumber(delay, `${argument}[${index}]`, 0, { max: LONGEST }),
  )
}
