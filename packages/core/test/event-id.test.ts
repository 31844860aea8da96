import { afterEach, expect, it, vi } from 'vitest'
import { newEvent } from '../src/index.js'

const newId = () => newEvent({ type: 'a', data: 1 }).id

afterEach(() => vi.useRealTimers())

it('is a UUIDv7 with the time of the clock', () => {
  vi.useFakeTimers({ now: Date.UTC(2100, 0, 1) })
  const id = newId()
  expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(Date.UTC(2100, 0, 1))
})

it('is greater than every one before it, within a millisecond and after the clock was set back', () => {
  vi.useFakeTimers({ now: Date.UTC(2101, 0, 1) })
  const ids = Array.from({ length: 2_000 }, newId)
  vi.setSystemTime(Date.UTC(2100, 0, 1))
  ids.push(...Array.from({ length: 2_000 }, newId))
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(ids.length)
})
