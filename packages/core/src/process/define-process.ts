import { describe } from '../describe.js'
import { catalogOf } from '../aggregate/event-catalog.js'
import type { EventDefinitions } from '../aggregate/event-definitions.js'
import { initialStateOf } from '../aggregate/initial-state.js'
import { InvalidArgumentError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'
import { nameProblem } from '../names.js'
import { copyOptions, namesOf, optionalFunction, requiredFunction, wholeNumber } from '../option-values.js'
import { asJson } from './as-json.js'
import type { CommandHandlers, GiveUp, Process, ProcessDefinition } from './process.js'

const names = namesOf<ProcessDefinition<unknown, EventDefinitions, CommandHandlers, string>>({
  name: true,
  events: true,
  upcasters: true,
  correlate: true,
  initialState: true,
  commands: true,
  handles: true,
  timeouts: true,
  giveUp: true,
  upgrade: true,
})
const giveUpNames = namesOf<GiveUp<unknown, unknown, unknown>>({ afterAttempts: true, handle: true })

/**
 * Declares what follows when something has happened, over several streams and over time: reactions to events, to be run by
 * `store.processes.run`. State, what is asked for and how far the log was read are committed together.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { defineProcess, eventData, type CommandExecution } from '@varve/core'
 *
 * export const checkout = defineProcess({
 *   name: 'checkout',
 *   events: { 'order.placed': eventData<{ order: string }>(), 'order.paid': eventData<{ order: string }>() },
 *   correlate: (event) => event.data.order,
 *   initialState: { paid: false },
 *   commands: {
 *     ship: async (data: { order: string }, { store, commandId }: CommandExecution) => {
 *       await store.append(data.order, [{ type: 'order.shipped', data, id: commandId }])
 *     },
 *   },
 *   handles: {
 *     'order.placed': () => ({ timeouts: [{ name: 'unpaid', afterMs: 86_400_000 }] }),
 *     'order.paid': (_, { data }) => ({ state: { paid: true }, commands: [{ command: 'ship', data }], complete: true }),
 *   },
 *   timeouts: {
 *     unpaid: (_, __, { correlationId }) => ({
 *       emit: [{ streamId: correlationId, type: 'order.expired', data: {} }],
 *       complete: true,
 *     }),
 *   },
 * })
 * ```
 */
export function defineProcess<
  State,
  const Events extends EventDefinitions,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- there are none
  const Commands extends CommandHandlers = Record<never, never>,
  const Timeouts extends string = never,
>(
  definition: ProcessDefinition<State, Events, Commands, Timeouts>,
): Process<State, Events, Commands, Timeouts> {
  type Defined = Process<State, Events, Commands, Timeouts>
  const given = copyOptions<ProcessDefinition<State, Events, Commands, Timeouts>>(
    definition,
    names,
    'process',
  )
  const events = catalogOf(definition.events, { upcasters: definition.upcasters })
  const handles = functions(given.handles, 'process.handles')
  const timeouts = functions(given.timeouts, 'process.timeouts')
  const commands = functions(given.commands, 'process.commands')
  const givesUp = givesUpOf(given.giveUp, [...commands.keys()])
  const upgrade = optionalFunction(given.upgrade, 'process.upgrade') ?? ((stored: JsonValue) => stored)
  const correlate = requiredFunction(given.correlate, 'process.correlate')
  const initial = initialStateOf<State, []>(definition, 'process')
  if (typeof given.initialState !== 'function') asJson(given.initialState, 'process.initialState')
  if (handles.size === 0) {
    throw new InvalidArgumentError(
      'process.handles',
      'must have a handler at least, by the type of the event',
    )
  }
  for (const type of handles.keys()) {
    if (events.types.includes(type)) continue
    throw new InvalidArgumentError(
      `process.handles['${type}']`,
      `is none of the events: ${events.types.join(', ')}`,
    )
  }
  for (const name of timeouts.keys()) {
    if (nameProblem(name) === undefined && name.length <= 100) continue
    throw new InvalidArgumentError(`process.timeouts['${name}']`, 'its name must be 1 to 100 characters')
  }
  return Object.freeze({
    name: processName(given.name),
    events,
    types: Object.freeze([...handles.keys()]),
    timeouts: Object.freeze([...timeouts.keys()]),
    commands: Object.freeze(Object.fromEntries(commands)),
    initial,
    upgrade,
    giveUpAfter: (command: string) => givesUp.get(command)?.afterAttempts ?? Infinity,
    decode: (event: RecordedEvent) => events.decode(event),
    correlate: correlate as Defined['correlate'],
    handle: ((state, event, context) =>
      handles.get(event.type)?.(state, event, context)) as Defined['handle'],
    fire: ((state, timeout, context) =>
      timeouts.get(timeout.name)?.(state, timeout, context)) as Defined['fire'],
    givenUp: ((state, failed, context) =>
      givesUp.get(failed.command)?.handle(state, failed, context)) as Defined['givenUp'],
  })
}

type Unchecked = (...args: readonly unknown[]) => unknown

function functions(value: unknown, argument: string): Map<string, Unchecked> {
  if (value === undefined) return new Map()
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(argument, `must be an object of functions, is ${describe(value)}`)
  }
  const found = new Map<string, Unchecked>()
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined) continue
    const checked = optionalFunction(one, `${argument}['${name}']`)
    found.set(name, checked as Unchecked)
  }
  return found
}

function givesUpOf(value: unknown, commands: readonly string[]) {
  const found = new Map<string, { readonly afterAttempts: number; readonly handle: Unchecked }>()
  for (const [command, one] of Object.entries(copyOptions(value, new Set(commands), 'process.giveUp'))) {
    if (one === undefined) continue
    const path = `process.giveUp['${command}']`
    const given = copyOptions<GiveUp<unknown, unknown, unknown>>(one, giveUpNames, path)
    found.set(command, {
      afterAttempts: wholeNumber(given.afterAttempts ?? null, `${path}.afterAttempts`, 1, { min: 1 }),
      handle: requiredFunction(given.handle, `${path}.handle`) as Unchecked,
    })
  }
  return found
}

function processName(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z0-9_.-]{1,90}$/.test(value)) return value
  throw new InvalidArgumentError(
    'process.name',
    `must be 1 to 90 letters, digits, '_', '-' and '.', is ${describe(value)}`,
  )
}
