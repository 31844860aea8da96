import { AssertionError } from 'node:assert'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineProcess, eventData, type CommandExecution, type ProcessCommand } from '../src/index.js'
import { advance } from '../src/process/advance.js'
import { given } from '../src/testing/index.js'
import type { RecordedEvent } from '../src/index.js'
import { invalidArgument } from './refusal.js'

const definition = {
  name: 'shipping',
  events: { ordered: eventData<{ order: string }>(), paid: eventData<{ order: string; cents: number }>() },
  correlate: (event: { data: { order: string } }) => event.data.order,
  initialState: { cents: 0 },
}

const shipping = defineProcess({
  ...definition,
  commands: {
    ship: async (data: { to: string }, { commandId }: CommandExecution) => [data, commandId],
  },
  handles: {
    ordered: () => ({ timeouts: [{ name: 'late', afterMs: 60_000, data: 7 }] }),
    paid: (state, { data }) => {
      expectTypeOf(state).toEqualTypeOf<{ cents: number }>()
      expectTypeOf(data.cents).toEqualTypeOf<number>()
      const cents = state.cents + data.cents
      return {
        state: { cents },
        commands: cents < 10 ? [] : [{ command: 'ship', data: { to: data.order } }],
        cancel: ['late'],
      }
    },
  },
  timeouts: {
    late: (_, { data }, { correlationId }) => ({
      emit: [{ streamId: correlationId, type: 'late', data }],
      complete: true,
    }),
  },
})

const ordered = { type: 'ordered', data: { order: 'o' } } as const
const paid = (cents: number) => ({ type: 'paid', data: { order: 'o', cents } }) as const

describe('a scenario of a process', () => {
  it('compares what is asked for', async () => {
    expect.assertions(0) // what is not as expected throws
    await given(shipping)
      .when(ordered)
      .then({ timeouts: { late: new Date('2026-01-01T00:01:00Z') } })
    await given(shipping, [ordered])
      .when(paid(4))
      .then({ state: { cents: 4 }, cancel: ['late'] })
    await given(shipping, [ordered, paid(4)])
      .when(paid(6))
      .then({ commands: [{ command: 'ship', data: { to: 'o' } }], cancel: ['late'] })
    await given(shipping, [ordered])
      .whenTimeout('late')
      .then({ emit: [{ streamId: 'o', type: 'late', data: 7 }], complete: true })
    await given(shipping, [ordered, paid(1)])
      .whenTimeout('late')
      .then(/no timeout 'late' waits/)
  })

  it.each([
    ['a command that was not expected', {}],
    ['a command that was', { commands: [{ command: 'ship', data: { to: 'elsewhere' } }] }],
    ['another state', { commands: [{ command: 'ship', data: { to: 'o' } }], state: { cents: 0 } }],
    ['its end', { commands: [{ command: 'ship', data: { to: 'o' } }], complete: true }],
  ] as const)('says what differs: %s', async (_, expected) => {
    const wrong = given(shipping)
      .when(paid(10))
      .then({ cancel: ['late'], ...expected })
    await expect(wrong).rejects.toThrow(AssertionError)
  })
})

it('ids are the same each time an event is handled, and others for another event', async () => {
  const event = (id: string): RecordedEvent => ({
    ...recorded,
    id,
    type: 'paid',
    data: { order: 'o', cents: 10 },
  })
  const idsFor = async (id: string) =>
    (await advance(shipping, undefined, 'o', event(id)))?.outbox.map((entry) => entry.id)
  const [first, again, other] = [await idsFor('a'), await idsFor('a'), await idsFor('b')]
  expect(first).toHaveLength(1)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

const recorded: RecordedEvent = {
  id: 'a',
  type: 'paid',
  data: {},
  metadata: {},
  schemaVersion: 1,
  tags: [],
  occurredAt: new Date(0),
  recordedAt: new Date(0),
  tenantId: 'default',
  streamId: 's',
  streamType: 's',
  version: 1,
  position: 1,
  sizeBytes: 0,
  checksum: '',
}

describe('refused are', () => {
  const react = (reaction: object) => {
    const handles = { paid: () => reaction as { state?: { cents: number } } }
    const timeouts = { late: () => undefined }
    return advance(defineProcess({ ...definition, handles, timeouts }), undefined, 'o', {
      ...recorded,
      data: { order: 'o', cents: 1 },
    })
  }

  it.each([
    [{ state: { at: new Date() } }, 'state.at'],
    [{ commands: [{ command: 'fly', data: {} }] }, 'commands[0]'],
    [{ emit: [{ streamId: '', type: 'x', data: {} }] }, 'emit[0].streamId'],
    [{ emit: [{ streamId: 'a', type: 'x', data: 1n }] }, 'emit[0].data'],
    [{ timeouts: [{ name: 'late' }] }, 'timeouts[0]'],
    [{ timeouts: [{ name: 'early', afterMs: 1 }] }, 'timeouts[0]'],
    [{ timeouts: [{ name: 'late', at: new Date(Number.NaN) }] }, 'timeouts[0]'],
  ])('%o', async (reaction, argument) => {
    await expect(react(reaction)).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT', argument })
  })

  it('definitions that cannot be meant', () => {
    const handles = { ordered: () => undefined }
    expect(invalidArgument(() => defineProcess({ ...definition, name: 'a b', handles })).argument).toBe(
      'process.name',
    )
    const unknown = { flown: () => undefined } as object
    expect(invalidArgument(() => defineProcess({ ...definition, handles: unknown })).argument).toBe(
      "process.handles['flown']",
    )
    const timeouts = { ['x'.repeat(101)]: () => undefined }
    expect(invalidArgument(() => defineProcess({ ...definition, handles, timeouts })).argument).toContain(
      'process.timeouts',
    )
    const correlate = 'order' as unknown as typeof definition.correlate
    expect(invalidArgument(() => defineProcess({ ...definition, correlate, handles })).argument).toBe(
      'process.correlate',
    )
  })
})

it('types follow from the definition alone', () => {
  type Commands = { ship: (data: { to: string }, execution: CommandExecution) => void }
  expectTypeOf<ProcessCommand<Commands>>().toEqualTypeOf<{
    readonly command: 'ship'
    readonly data: { to: string }
  }>()
  const wrong = {
    ...definition,
    commands: {},
    handles: { paid: () => ({ commands: [{ command: 'x', data: 1 }] }) },
  }
  // @ts-expect-error there is no such command
  void (() => defineProcess(wrong))
  // @ts-expect-error there is no such timeout
  void (() => given(shipping, [ordered]).whenTimeout('early'))
})

describe('a command that is given up', () => {
  const nothing = (): undefined => undefined
  const process = defineProcess({
    ...definition,
    commands: {
      ship: async (data: { to: string }, { commandId }: CommandExecution) => [data, commandId],
      refund: async (data: { cents: number }) => data,
    },
    handles: { paid: (_, { data }) => ({ commands: [{ command: 'ship', data: { to: data.order } }] }) },
    giveUp: {
      ship: {
        afterAttempts: 4,
        handle: (state, { data, attempts, errorMessage }) => {
          expectTypeOf(state).toEqualTypeOf<{ cents: number }>()
          expectTypeOf(data).toEqualTypeOf<{ to: string }>()
          return {
            commands: [{ command: 'refund', data: { cents: attempts } }],
            emit: [{ streamId: data.to, type: 'not shipped', data: { errorMessage } }],
            complete: true,
          }
        },
      },
    },
  })

  it('is told to the process', () =>
    expect(
      given(process, [paid(3)])
        .whenGivenUp('ship', 'no such place')
        .then({
          commands: [{ command: 'refund', data: { cents: 4 } }],
          emit: [{ streamId: 'o', type: 'not shipped', data: { errorMessage: 'no such place' } }],
          complete: true,
        }),
    ).resolves.toBeUndefined())

  it('was asked for, and may be given up', async () => {
    const never = given(process, [paid(3)]).whenGivenUp('refund', '')
    await expect(never.then({})).rejects.toThrow("no command 'refund' was asked for")
    const unasked = given(process, []).whenGivenUp('ship', '')
    await expect(unasked.then({})).rejects.toThrow("no command 'ship' was asked for")
    expect([process.giveUpAfter('ship'), process.giveUpAfter('refund')]).toEqual([4, Infinity])
  })

  it.each([
    ['process.giveUp.shop', { shop: { afterAttempts: 1, handle: nothing } }],
    ["process.giveUp['ship'].afterAttempts", { ship: { handle: nothing } }],
    ["process.giveUp['ship'].afterAttempts", { ship: { afterAttempts: 0, handle: nothing } }],
    ["process.giveUp['ship'].handle", { ship: { afterAttempts: 1 } }],
    ["process.giveUp['ship'].after", { ship: { after: 1, handle: nothing } }],
  ])('is refused as %s', (argument, giveUp) => {
    const commands = { ship: async () => undefined }
    const handles = { paid: () => undefined }
    const make = () => defineProcess({ ...definition, commands, handles, giveUp } as never)
    expect(invalidArgument(make).argument).toBe(argument)
  })
})
