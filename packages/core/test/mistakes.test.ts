import { describe, expect, it } from 'vitest'
import {
  createRepository,
  defineAggregate,
  defineCommand,
  defineEvents,
  defineProcess,
  eventData,
  executeCommand,
  UnknownEventTypeError,
} from '../src/index.js'
import type { EventStore } from '../src/index.js'
import { given } from '../src/testing/index.js'
import { invalidArgument } from './refusal.js'

// what TypeScript refuses, JavaScript does not
const untyped = (value: unknown): never => value as never
const events = { counted: eventData<{ by: number }>() }
const definition = {
  type: 'counter',
  events,
  initialState: 0,
  evolve: (sum: number, { data }: { data: { by: number } }) => sum + data.by,
}
const counter = defineAggregate(definition)
const one = { type: 'counted', data: { by: 1 } } as const
const command = (over: object) =>
  defineCommand<unknown, number, typeof events>({
    events,
    streams: () => ['a'],
    initialState: 0,
    evolve: (sum) => sum,
    decide: () => [],
    ...over,
  })

describe('of definitions, refused are', () => {
  it.each([
    ['an initial state that is missing', { initialState: undefined, absent: true }, 'aggregate.initialState'],
    [
      'an upcaster that was not defined',
      { upcasters: [{ type: 'counted', from: 1, to: 2 }] },
      'upcasters[0]',
    ],
    ['upcasters that are no list', { upcasters: {} }, 'upcasters'],
    ["the type '*'", { events: { '*': eventData() } }, "events['*']"],
    [
      'a type that no event can have',
      { events: { ['x'.repeat(256)]: eventData() } },
      `events['${'x'.repeat(40)}']`,
    ],
    ['an evolve that is none', { evolve: 1 }, 'aggregate.evolve'],
  ])('%s', (_, over, argument) => {
    const { absent, ...rest } = { ...definition, ...over } as Record<string, unknown>
    if (absent === true) delete rest['initialState']
    expect(invalidArgument(() => defineAggregate(untyped(rest))).argument).toBe(argument)
  })

  it('an undefined initial state is one', () => {
    const last = defineAggregate({
      type: 'last',
      events,
      initialState: undefined as number | undefined,
      evolve: (_, { data }) => data.by,
    })
    expect(last.initial()).toBeUndefined()
  })

  it('upcasters beside a catalog, which has its own', () => {
    const refusal = invalidArgument(() =>
      defineAggregate({ ...definition, events: defineEvents(events), upcasters: [] }),
    )
    expect(refusal.argument).toBe('upcasters')
  })
})

describe('of calls, refused are', () => {
  const store = { readStream: () => [], append: () => [], snapshots: { every: 1 } } as unknown as EventStore

  it('a store that is none', () => {
    expect(invalidArgument(() => createRepository(untyped(undefined), counter)).argument).toBe('store')
    expect(invalidArgument(() => createRepository(untyped(counter), untyped(store))).argument).toBe('store')
  })

  it('an aggregate that was not defined', () => {
    expect(invalidArgument(() => createRepository(store, untyped(definition.type))).argument).toBe(
      'aggregate',
    )
    expect(invalidArgument(() => createRepository(store, untyped({ type: 'a' }))).argument).toBe('aggregate')
  })

  it('a command that was not defined', async () => {
    await expect(executeCommand(store, untyped({ streams: () => [] }), {})).rejects.toMatchObject({
      argument: 'definition',
    })
  })

  it('a decision that is no function', async () => {
    await expect(createRepository(store, counter).handle('a', untyped([one]))).rejects.toMatchObject({
      code: 'VARVE_INVALID_ARGUMENT',
      argument: 'decide',
    })
  })
})

describe('a decision', () => {
  it.each([['nope'], [[undefined]], [[null]], [{ typ: 'counted' }]])('of %j is no event', (decided) =>
    expect(
      given(counter)
        .when(() => untyped(decided))
        .then(/^Invalid events\[0\]: must be an event/),
    ).resolves.toBeUndefined(),
  )

  it('of null is one for nothing', () =>
    expect(
      given(counter)
        .when(() => untyped(null))
        .then([]),
    ).resolves.toBeUndefined())

  it('of a mistyped type says what was meant', () =>
    expect(
      given(counter)
        .when(() => untyped({ type: 'cuonted', data: { by: 1 } }))
        .then(new UnknownEventTypeError('cuonted', ['counted'])),
    ).resolves.toBeUndefined())
})

describe('a command refuses', () => {
  it.each([
    ['a string for streams', { streams: () => 'a' }, /^Invalid streams: must be an array of stream ids/],
    ['no streams', { streams: () => undefined }, /^Invalid streams: must be an array.* is undefined/],
    ['a stream that is none', { streams: () => [undefined] }, /^Invalid streams\[0\]: must be an object/],
    [
      'a misspelt stream',
      { streams: () => [{ id: 'a' }] },
      /^Invalid streams\[0\].id: there is no such option/,
    ],
    [
      'a single write',
      { decide: () => ({ streamId: 'a', events: [] }) },
      /^Invalid decide: must give writes/,
    ],
    [
      'a single event',
      { decide: () => [{ streamId: 'a', events: one }] },
      /^Invalid writes\[0\].events: must be an/,
    ],
    ['an event for a write', { decide: () => [one] }, /^Invalid writes\[0\].type: there is no such option/],
    [
      'a write to nowhere',
      { decide: () => [{ events: [] }] },
      /^Invalid writes\[0\].streamId: must be a string/,
    ],
  ])('%s', (_, over, message) => expect(given(command(over)).when({}).then(message)).resolves.toBeUndefined())
})

it('an evolve that is async is refused, wherever it is met', () =>
  expect(
    given(
      defineAggregate({ ...definition, evolve: untyped(async () => Promise.reject(new Error('late'))) }),
      [one],
    )
      .when(() => [])
      .then(/^Invalid evolve: must give a state, gives a promise/),
  ).resolves.toBeUndefined())

describe('a process refuses', () => {
  const make = (over: object) =>
    defineProcess({
      name: 'p',
      events,
      correlate: () => 'x',
      initialState: 0,
      handles: { counted: () => ({}) },
      ...over,
    })

  it.each([
    ['no handlers', { handles: {} }, 'process.handles'],
    ['a state that is no JSON', { initialState: new Map() }, 'process.initialState'],
    ['a part of a state that is none', { initialState: { at: new Date(0) } }, 'process.initialState.at'],
  ])('%s', (_, over, argument) => expect(invalidArgument(() => make(over)).argument).toBe(argument))

  it.each([
    [
      'a misspelt reaction',
      () => ({ command: [] }),
      /^Invalid reaction.command: .* did you mean 'commands'\?$/,
    ],
    ['a promise', async () => Promise.reject(new Error('late')), /^Invalid reaction: is a promise/],
    [
      'a single command',
      () => ({ commands: { command: 'a', data: 1 } }),
      /^Invalid reaction.commands: must be an array/,
    ],
    ['a word', () => 'done', /^Invalid reaction: must be an object, is "done"/],
  ])('%s', (_, counted, message) =>
    expect(
      given(make({ handles: { counted } }))
        .when(one)
        .then(message),
    ).resolves.toBeUndefined(),
  )
})

it('a past that could not have been appended fails the scenario, and is no refusal', async () => {
  const scenario = given(counter, untyped([{ type: 'cuonted', data: {} }])).when(() => [])
  await expect(scenario.then(UnknownEventTypeError)).rejects.toThrow(
    "the given events could not have been appended: UnknownEventTypeError: Unknown event type 'cuonted'",
  )
})
