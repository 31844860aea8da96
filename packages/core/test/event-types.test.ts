import { expect, expectTypeOf, it } from 'vitest'
import { newEvent } from '../src/index.js'
import type { EventStore, JsonOf, JsonValue, NewEvent } from '../src/index.js'

interface Line {
  readonly item: string
  readonly tags?: readonly string[]
}
interface Placed {
  order: string
  lines: readonly Line[]
  note: string | null
}

type Appended = Parameters<EventStore['append']>[1][number]

it('data that is an interface can be appended, and comes out as it went in', () => {
  const data: Placed = { order: 'o', lines: [{ item: 'i' }], note: null }
  const event = newEvent({ type: 'placed', data })
  expectTypeOf(event).toExtend<Appended>()
  expectTypeOf(event.data.lines).items.toHaveProperty('item').toEqualTypeOf<string>()
  expectTypeOf<JsonOf<Placed>>().toExtend<JsonValue>()
  expect(event.data).toEqual({ order: 'o', lines: [{ item: 'i' }], note: null })
})

it('what is JSON by its type stays as it is', () => {
  expectTypeOf(newEvent({ type: 'a', data: { n: 1, list: ['x'] } }).data).toEqualTypeOf<{
    n: number
    list: string[]
  }>()
  expectTypeOf<JsonOf<JsonValue>>().toEqualTypeOf<JsonValue>()
  expectTypeOf(newEvent({ type: 'a', data: null as JsonValue })).toExtend<NewEvent>()
  expect(newEvent({ type: 'a', data: 1 }).data).toBe(1)
})

it('what is no JSON does not compile', () => {
  interface At {
    at: Date
  }
  const at: At = { at: new Date(0) }
  const count = 1n
  // @ts-expect-error -- a Date comes back as a string
  newEvent({ type: 'a', data: at })
  // @ts-expect-error -- a bigint is no JSON
  newEvent({ type: 'a', data: { count } })
  // @ts-expect-error -- neither is a function
  newEvent({ type: 'a', data: { f: () => 1 } })
  // @ts-expect-error -- a Map comes back empty
  newEvent({ type: 'a', data: new Map<string, number>() })
  expect(count).toBe(1n)
})
