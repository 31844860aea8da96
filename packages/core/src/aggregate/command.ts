import {
  copyOptions,
  namesOf,
  optionalFunction,
  optionalName,
  requiredFunction,
  wholeNumber,
} from '../option-values.js'
import { catalogOf, type EventCatalog, type EventSource } from './event-catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { initialStateOf } from './initial-state.js'
import type { Upcaster } from './upcaster.js'

/** A stream that a command reads; the type is for one that its first append creates. */
export type StreamReference = string | { readonly streamId: string; readonly streamType?: string | undefined }

/** What a command writes to one of its streams. */
export interface CommandWrite<Event> {
  readonly streamId: string
  readonly events: readonly Event[]
  /** For a stream that this append creates, where the reference did not say it. */
  readonly streamType?: string | undefined
}

export interface CommandContext {
  /** 1 for the first try; more after conflicts. */
  readonly attempt: number
  /** The version of each stream that was read; 0 for one that does not exist. */
  readonly versions: ReadonlyMap<string, number>
}

/** What `decide` gives: writes, or nothing. */
export type CommandDecision<Event> = readonly CommandWrite<Event>[] | undefined

export interface CommandDefinition<
  Command,
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents = 'fail',
> {
  /** Sets its `commandId`s apart from those of other commands. */
  name?: string | undefined
  /** All event types that its streams may hold, each with the schema of its data; or a catalog, such as `account.events`. */
  events: EventSource<Events>
  /** The streams that it is decided on. Each is read, and must not change until the decision is stored. */
  streams: (command: Command) => readonly StreamReference[]
  /** Further streams, asked for after each stream that was read. Each stream is read once. */
  discover?: ((state: NoInfer<State>, command: NoInfer<Command>) => readonly StreamReference[]) | undefined
  /** Before the first event; a function is called for each try. */
  initialState: State | ((command: NoInfer<Command>) => State)
  /** The state after one more event: stream by stream in the order in which they are read, each by version. */
  evolve: (state: State, event: ReadEvent<Events, Unknown>) => NoInfer<State>
  /** Decides what is written, to streams that were read. Throws to refuse. Runs again after a conflict. */
  decide: (
    command: NoInfer<Command>,
    state: NoInfer<State>,
    context: CommandContext,
  ) => CommandDecision<NewEventOf<Events>> | Promise<CommandDecision<NewEventOf<Events>>>
  upcasters?: readonly Upcaster[] | undefined
  /** What becomes of events whose type is not defined; `'fail'` when absent. */
  unknownEvents?: Unknown | undefined
  /** More streams than this are an error; 100 when absent. */
  maxStreams?: number | undefined
}

/** A command that was checked by `defineCommand`. */
export interface CommandType<
  Command,
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents = 'fail',
> {
  readonly name: string
  readonly events: EventCatalog<Events, Unknown>
  readonly maxStreams: number
  streams(command: Command): readonly StreamReference[]
  discover(state: State, command: Command): readonly StreamReference[]
  initial(command: Command): State
  evolve(state: State, event: ReadEvent<Events, Unknown>): State
  decide(
    command: Command,
    state: State,
    context: CommandContext,
  ): CommandDecision<NewEventOf<Events>> | Promise<CommandDecision<NewEventOf<Events>>>
}

const names = namesOf<CommandDefinition<unknown, unknown, EventDefinitions>>({
  name: true,
  events: true,
  streams: true,
  discover: true,
  initialState: true,
  evolve: true,
  decide: true,
  upcasters: true,
  unknownEvents: true,
  maxStreams: true,
})

/**
 * Declares a command that is decided on several streams at once: an aggregate of its own, made of just what it needs to know.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { defineCommand, eventData, executeCommand, type EventStore } from '@varve/core'
 *
 * const transfer = defineCommand({
 *   events: { 'money.moved': eventData<{ from: string; to: string; cents: number }>() },
 *   streams: (command: { from: string; to: string; cents: number }) => [command.from, command.to],
 *   initialState: new Map<string, number>(),
 *   evolve: (balances, { streamId, data }) => {
 *     const sign = streamId === data.to ? 1 : -1
 *     return new Map(balances).set(streamId, (balances.get(streamId) ?? 0) + sign * data.cents)
 *   },
 *   decide: (command, balances) => {
 *     if (command.cents > (balances.get(command.from) ?? 0)) throw new Error('insufficient funds')
 *     const events = [{ type: 'money.moved', data: command }] as const
 *     return [{ streamId: command.from, events }, { streamId: command.to, events }]
 *   },
 * })
 *
 * export async function move(store: EventStore, from: string, to: string, cents: number) {
 *   return executeCommand(store, transfer, { from, to, cents })
 * }
 * ```
 */
export function defineCommand<
  Command,
  State,
  const Events extends EventDefinitions,
  const Unknown extends UnknownEvents = 'fail',
>(
  definition: CommandDefinition<Command, State, Events, Unknown>,
): CommandType<Command, State, Events, Unknown> {
  type Defined = CommandType<Command, State, Events, Unknown>
  const given = copyOptions<CommandDefinition<Command, State, Events, Unknown>>(definition, names, 'command')
  return Object.freeze({
    name: optionalName(given.name, 'command.name') ?? '',
    events: catalogOf<Events, Unknown>(definition.events, {
      upcasters: definition.upcasters,
      unknownEvents: definition.unknownEvents,
    }),
    maxStreams: wholeNumber(given.maxStreams, 'command.maxStreams', 100, { min: 1 }),
    streams: requiredFunction(given.streams, 'command.streams') as Defined['streams'],
    discover: (optionalFunction(given.discover, 'command.discover') ?? (() => [])) as Defined['discover'],
    initial: initialStateOf<State, [Command]>(definition, 'command'),
    evolve: requiredFunction(given.evolve, 'command.evolve') as Defined['evolve'],
    decide: requiredFunction(given.decide, 'command.decide') as Defined['decide'],
  })
}
