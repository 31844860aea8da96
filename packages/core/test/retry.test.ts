import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoffDelay, sleep } from '../src/index.js'

describe('backoffDelay', () => {
  it('is five times as long each time, give or take a fifth', () => {
    fc.assert(
      fc.property(
        fc.nat(6),
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, baseDelayMs, random) => {
          const delay = backoffDelay({ baseDelayMs }, attempt, () => random)
          expect(delay).toBeGreaterThanOrEqual(baseDelayMs * 5 ** attempt * 0.799)
          expect(delay).toBeLessThanOrEqual(baseDelayMs * 5 ** attempt * 1.201)
        },
      ),
    )
  })

  it('spans about three seconds in five tries', () => {
    const middle = [0, 1, 2, 3].map((attempt) => backoffDelay({ baseDelayMs: 20 }, attempt, () => 0.5))
    expect(middle.map(Math.round)).toStrictEqual([20, 100, 500, 2500])
  })

  it('spreads', () => {
    const delays = Array.from({ length: 50 }, () => backoffDelay({ baseDelayMs: 20 }, 0))
    expect(new Set(delays).size).toBeGreaterThan(1)
  })

  it('is never longer than a timer can wait', () => {
    expect(backoffDelay({ baseDelayMs: 20 }, 100)).toBe(2 ** 31 - 1)
  })
})

describe('sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('resolves after its time', async () => {
    const awake = vi.fn<() => void>()
    const sleeping = sleep(100).then(awake)
    await vi.advanceTimersByTimeAsync(99)
    expect(awake).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await sleeping
    expect(awake).toHaveBeenCalledOnce()
  })

  it('rejects with the signal’s reason as soon as it aborts, and leaves no timer', async () => {
    const controller = new AbortController()
    const sleeping = sleep(100, controller.signal)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin when the signal has aborted', async () => {
    await expect(sleep(100, AbortSignal.abort('no'))).rejects.toBe('no')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes its listener off the signal', async () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const sleeping = sleep(100, signal)
    await vi.advanceTimersByTimeAsync(100)
    await sleeping
    expect(removed).toHaveBeenCalledOnce()
  })
})
