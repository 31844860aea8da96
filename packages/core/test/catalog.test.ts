import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  defineAggregate,
  defineCommand,
  defineEvents,
  defineProcess,
  defineUpcaster,
  eventData,
  isSchemaValidationError,
} from '../src/index.js'
import type { JsonValue, NewEventOf, NewEventsOf, ReadEvent, RecordedEvent } from '../src/index.js'
import { invalidArgument } from './refusal.js'

const withZod = {
  deposited: z.object({
    cents: z.number().int(),
    currency: z.string().default('EUR'),
    note: z.string().trim().optional(),
  }),
}
const withValibot = {
  deposited: v.object({
    cents: v.pipe(v.number(), v.integer()),
    currency: v.optional(v.string(), 'EUR'),
    note: v.optional(v.pipe(v.string(), v.trim())),
  }),
}
const asynchronous = {
  deposited: z
    .object({ cents: z.number().refine(async (cents) => Promise.resolve(Number.isInteger(cents))) })
    .transform(async (data) => Promise.resolve({ ...data, currency: 'EUR' })),
}

function recorded(type: string, data: JsonValue, schemaVersion = 1): RecordedEvent {
  const place = { tenantId: 'default', streamId: 'a', streamType: 'a', version: 1, position: 9 }
  const rest = {
    metadata: {},
    tags: [],
    occurredAt: new Date(0),
    recordedAt: new Date(0),
    sizeBytes: 0,
    checksum: '',
  }
  return { id: 'id', type, data, schemaVersion, ...place, ...rest }
}

describe.each([
  ['zod', withZod],
  ['valibot', withValibot],
])('schemas of %s', (_, definitions) => {
  const events = defineEvents<typeof withZod>(definitions as typeof withZod)

  it('validate what is appended, which is stored as they give it', async () => {
    const [event] = await events.validate([
      { type: 'deposited', data: { cents: 5, note: ' hi ' }, tags: ['x'] },
    ])
    expect(event).toEqual({
      type: 'deposited',
      data: { cents: 5, currency: 'EUR', note: 'hi' },
      tags: ['x'],
      schemaVersion: 1,
    })
  })

  it('refuse what does not match, with the path', async () => {
    const error: unknown = await events
      .validate([{ type: 'deposited', data: { cents: 1.5 } }])
      .catch((one: unknown) => one)
    expect(isSchemaValidationError(error)).toBe(true)
    expect(error).toMatchObject({ type: 'deposited', issues: [{ path: ['cents'] }] })
  })
})

it('asynchronous schemas validate, too', async () => {
  const events = defineEvents(asynchronous)
  const [event] = await events.validate([{ type: 'deposited', data: { cents: 5 } }])
  expect(event?.data).toEqual({ cents: 5, currency: 'EUR' })
  const refusal = events.validate([{ type: 'deposited', data: { cents: 0.5 } }])
  await expect(refusal).rejects.toMatchObject({ code: 'VARVE_SCHEMA', issues: [{ path: ['cents'] }] })
})

it('another schemaVersion than the newest is refused', async () => {
  const events = defineEvents(withZod)
  const event = { type: 'deposited', data: { cents: 1 }, schemaVersion: 2 } as const
  await expect(events.validate([event])).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
})

it('decoding waits for nothing where nothing is upcast', () => {
  const event = recorded('deposited', { cents: 1 })
  expect(defineEvents(withZod).decode(event)).toBe(event)
})

it('what upcasters give is validated', async () => {
  const upcast = (old: { amount: number }) => ({ cents: old.amount * 100 })
  const upcasters = [defineUpcaster({ type: 'deposited', from: 1, to: 2, upcast })]
  const events = defineEvents(withZod, { upcasters })
  expect(await events.decode(recorded('deposited', { amount: 2 }))).toMatchObject({
    data: { cents: 200, currency: 'EUR' },
    schemaVersion: 2,
  })
  await expect(events.decode(recorded('deposited', { amount: 0.001 }))).rejects.toMatchObject({
    code: 'VARVE_SCHEMA',
  })
  expect(events.schemaVersion('deposited')).toBe(2)
})

describe('refused are', () => {
  const step = (from: number, to: number, type = 'deposited') =>
    defineUpcaster({ type, from, to, upcast: (data) => data })

  it.each([
    ['a chain with a gap', [step(1, 2), step(3, 4)], 'from where none leads on to 4'],
    ['two from the same version', [step(1, 2), step(1, 3)], 'two of'],
    ['one of another event', [step(1, 2, 'withdrawn')], "'withdrawn' is none of the events"],
  ])('%s', (_, upcasters, reason) => {
    expect(invalidArgument(() => defineEvents(withZod, { upcasters })).message).toContain(reason)
  })

  it('a step backwards, and one without a function', () => {
    expect(invalidArgument(() => step(2, 2)).argument).toBe('upcaster.to')
    const upcast = undefined as unknown as () => string
    expect(invalidArgument(() => defineUpcaster({ type: 'x', from: 1, to: 2, upcast })).argument).toBe(
      'upcaster.upcast',
    )
  })

  it('what is no schema, and options that there are not', () => {
    const none = { x: 'string' } as unknown as typeof withZod
    expect(invalidArgument(() => defineEvents(none)).argument).toBe("events['x']")
    expect(invalidArgument(() => defineEvents(withZod, { unknown: 'skip' } as object)).argument).toBe(
      'unknown',
    )
    expect(invalidArgument(() => defineEvents(withZod, { unknownEvents: 'ignore' as 'skip' })).argument).toBe(
      'unknownEvents',
    )
  })
})

describe('types follow from the definitions alone', () => {
  interface Closed {
    reason: string
  }
  const definitions = { ...withZod, closed: eventData<Closed>() }
  const events = defineEvents(definitions)

  it('what may be appended', () => {
    type New = NewEventOf<typeof definitions>
    expectTypeOf<Extract<New, { type: 'closed' }>['data']>().toEqualTypeOf<Closed>()
    expectTypeOf<Extract<New, { type: 'deposited' }>['data']>().toEqualTypeOf<{
      cents: number
      currency?: string | undefined
      note?: string | undefined
    }>()
    // @ts-expect-error there is no such event
    void (() => events.validate([{ type: 'opened', data: {} }]))
    // @ts-expect-error the data of another event
    void (() => events.validate([{ type: 'closed', data: { cents: 1 } }]))
  })

  it('with any library', () => {
    type New = NewEventOf<typeof withValibot>['data']
    expectTypeOf<New>().toEqualTypeOf<{
      cents: number
      currency?: string | undefined
      note?: string | undefined
    }>()
    expectTypeOf<ReadEvent<typeof withValibot, 'skip'>['data']['currency']>().toEqualTypeOf<string>()
  })

  it('what is read', () => {
    type Read = ReadEvent<typeof definitions, 'fail'>
    expectTypeOf<Read['type']>().toEqualTypeOf<'deposited' | 'closed'>()
    expectTypeOf<Extract<Read, { type: 'deposited' }>['data']['currency']>().toEqualTypeOf<string>()
    expectTypeOf<ReadEvent<typeof definitions, 'keep-raw'>['type']>().toEqualTypeOf<
      'deposited' | 'closed' | '*'
    >()
  })

  it('the state of an aggregate', () => {
    const account = defineAggregate({
      type: 'account',
      events: definitions,
      initialState: () => ({ cents: 0, reason: undefined as string | undefined }),
      evolve(state, event) {
        expectTypeOf(state).toEqualTypeOf<{ cents: number; reason: string | undefined }>()
        switch (event.type) {
          case 'deposited':
            expectTypeOf(event.data.currency).toEqualTypeOf<string>()
            return { ...state, cents: state.cents + event.data.cents }
          default:
            return { ...state, reason: event.data.reason }
        }
      },
    })
    expectTypeOf(account.initial()).toEqualTypeOf<{ cents: number; reason: string | undefined }>()
    expectTypeOf(account.events.types).toEqualTypeOf<readonly ('deposited' | 'closed')[]>()
    const wrong = { type: 'x', events: definitions, initialState: { cents: 0 }, evolve: () => 'zero' }
    // @ts-expect-error a state of another shape
    void (() => defineAggregate(wrong))
  })
})

describe('a catalog that is shared', () => {
  const money = defineEvents(
    { deposited: z.object({ cents: z.number() }), closed: v.object({ why: v.string() }) },
    {
      upcasters: [
        defineUpcaster({
          type: 'deposited',
          from: 1,
          to: 2,
          upcast: (old: { amount: number }) => ({ cents: old.amount * 100 }),
        }),
      ],
    },
  )
  const account = defineAggregate({
    type: 'account',
    events: money,
    initialState: 0,
    evolve: (cents, event) => {
      expectTypeOf(event.type).toEqualTypeOf<'deposited' | 'closed'>()
      return event.type === 'deposited' ? cents + event.data.cents : cents
    },
  })

  it('brings its schemas and upcasters, and types', async () => {
    expect(account.events.schemaVersion('deposited')).toBe(2)
    expect(await account.events.decode(recorded('deposited', { amount: 3 }))).toMatchObject({
      data: { cents: 300 },
    })
    await expect(account.events.validate([{ type: 'closed', data: { why: 1 as never } }])).rejects.toSatisfy(
      isSchemaValidationError,
    )
    expectTypeOf<NewEventsOf<typeof account>>().toEqualTypeOf<
      NewEventOf<{
        readonly deposited: typeof money.definitions.deposited
        readonly closed: typeof money.definitions.closed
      }>
    >()
  })

  it('leaves what becomes of unknown types to each reader', async () => {
    const lenient = defineAggregate({
      type: 'account',
      events: account.events,
      unknownEvents: 'keep-raw',
      initialState: 0,
      evolve: (count, event) => {
        expectTypeOf(event.type).toEqualTypeOf<'deposited' | 'closed' | '*'>()
        return event.type === '*' ? count + 1 : count
      },
    })
    expect(await lenient.events.decode(recorded('other', {}))).toMatchObject({ type: '*' })
    expect(() => account.events.decode(recorded('other', {}))).toThrow(
      "Unknown event type 'other' in stream 'a' at version 1: define it, or say with unknownEvents",
    )
  })

  it('makes one with others', () => {
    const both = defineEvents(
      { ...account.events.definitions, 'limit.set': eventData<{ cents: number }>() },
      { upcasters: account.events.upcasters },
    )
    expect(both.types).toEqual(['deposited', 'closed', 'limit.set'])
    expect(both.schemaVersion('deposited')).toBe(2)
    expectTypeOf<Parameters<typeof both.schemaVersion>[0]>().toEqualTypeOf<
      'deposited' | 'closed' | 'limit.set'
    >()
  })

  it('serves commands and processes', () => {
    const transfer = defineCommand({
      events: account.events,
      streams: (ids: string[]) => ids,
      initialState: 0,
      evolve: (cents, event) => (event.type === 'deposited' ? cents + event.data.cents : cents),
      decide: (ids, cents) =>
        ids.map((streamId) => ({ streamId, events: [{ type: 'deposited', data: { cents } }] })),
    })
    expect(transfer.events.schemaVersion('deposited')).toBe(2)
    const watch = defineProcess({
      name: 'watch',
      events: account.events,
      correlate: (event) => event.streamId,
      initialState: 0,
      handles: { deposited: (sum, { data }) => ({ state: sum + data.cents }) },
    })
    expect(watch.events.schemaVersion('deposited')).toBe(2)
  })
})
