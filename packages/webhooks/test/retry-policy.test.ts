import { describe, expect, it } from 'vitest'
import {
  defaultRetries,
  defaultSchedule,
  resolveRetryPolicy,
  retryDelay,
} from '../src/endpoints/retry-policy.js'
import type { RetryPolicy } from '../src/endpoints/retry-policy.js'

const plain = (policy: RetryPolicy, retries: number): number[] =>
  Array.from({ length: retries }, (_, index) => retryDelay(policy, index + 1, () => 0))

describe('the delays before retries', () => {
  it('are 5 s, 5 and 30 min, 2, 5, 10, 14, 20 and 24 h when nobody says: ten attempts', () => {
    const [minute, hour] = [60, 3_600]
    expect(defaultRetries(defaultSchedule)).toBe(9)
    expect(plain(defaultSchedule, 11).map((ms) => ms / 1_000)).toEqual([
      5,
      5 * minute,
      30 * minute,
      2 * hour,
      5 * hour,
      10 * hour,
      14 * hour,
      20 * hour,
      24 * hour,
      // of those who want more retries than the schedule has
      24 * hour,
      24 * hour,
    ])
    expect(resolveRetryPolicy(undefined)).toBe(defaultSchedule)
  })

  it.each<[string, RetryPolicy, number[]]>([
    [
      'exponential',
      { kind: 'exponential', baseMs: 1_000, maxMs: 9_000 },
      [1_000, 2_000, 4_000, 8_000, 9_000],
    ],
    ['linear', { kind: 'linear', stepMs: 1_000, maxMs: 3_500 }, [1_000, 2_000, 3_000, 3_500, 3_500]],
    ['fixed', { kind: 'fixed', delayMs: 700 }, [700, 700, 700, 700, 700]],
    ['as listed', { kind: 'schedule', delaysMs: [1, 20, 3] }, [1, 20, 3, 3, 3]],
  ])('are %s when the endpoint says so', (_, policy, delays) => {
    expect(plain(policy, 5)).toEqual(delays)
    expect(resolveRetryPolicy(policy)).toEqual(policy)
  })

  it('do not grow beyond all bounds, however many attempts there were', () => {
    expect(retryDelay({ kind: 'exponential', baseMs: 1_000, maxMs: 3_600_000 }, 5_000, () => 0)).toBe(
      3_600_000,
    )
  })

  it('are up to a tenth longer at random, and never shorter', () => {
    const policy: RetryPolicy = { kind: 'fixed', delayMs: 1_000 }
    expect([0, 0.5, 0.999].map((share) => retryDelay(policy, 1, () => share))).toEqual([1_000, 1_050, 1_100])
    const drawn = new Set(Array.from({ length: 50 }, () => retryDelay(policy, 1)))
    expect(drawn.size).toBeGreaterThan(5)
  })

  it.each([
    {},
    { kind: 'never' },
    { kind: 'fixed', delayMs: -1 },
    { kind: 'fixed', delayMs: 0.5 },
    { kind: 'fixed', dealyMs: 5 },
    { kind: 'schedule' },
    { kind: 'schedule', delaysMs: [] },
    { kind: 'schedule', delaysMs: [Number.NaN] },
    { kind: 'schedule', delaysMs: Array.from({ length: 101 }, () => 1) },
    { kind: 'linear', maxMs: 31 * 86_400_000 },
    'fixed',
  ])('are refused as %j', (value) => {
    expect(() => resolveRetryPolicy(value)).toThrow(
      expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT' }),
    )
  })
})
