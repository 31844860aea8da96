import { InvalidArgumentError } from '../errors.js'
import type { JsonValue } from '../json.js'
import {
  copyOptions,
  namesOf,
  optionalFunction,
  requiredFunction,
  requiredName,
  wholeNumber,
} from '../option-values.js'
import { catalogOf, type EventCatalog, type EventSource } from './event-catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { initialStateOf } from './initial-state.js'
import type { Upcaster } from './upcaster.js'

export interface AggregateDefinition<
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents = 'fail',
> {
  /** Of its streams. */
  type: string
  /** All event types that its streams may hold, each with the schema of its data; or a catalog of them. */
  events: EventSource<Events>
  /** The state of a stream without events; a function is called for each stream. */
  initialState: State | (() => State)
  /** The state after one more event. Gives a new state; does not change the one it is given. */
  evolve: (state: State, event: ReadEvent<Events, Unknown>) => NoInfer<State>
  /** Of the state, for snapshots: raise it when `evolve` or the shape of the state changes; 1 when absent. */
  schemaVersion?: number | undefined
  /** How older data is brought to the newest shape. */
  upcasters?: readonly Upcaster[] | undefined
  /** What becomes of events whose type is not defined; `'fail'` when absent. */
  unknownEvents?: Unknown | undefined
  /** How a state that is no JSON (a bigint, a Map …) becomes JSON in a snapshot, and back. `decode` may throw. */
  snapshot?:
    | { encode: (state: NoInfer<State>) => JsonValue; decode: (state: JsonValue) => NoInfer<State> }
    | undefined
}

/** An aggregate that was checked by `defineAggregate`. */
export interface Aggregate<State, Events extends EventDefinitions, Unknown extends UnknownEvents = 'fail'> {
  readonly type: string
  readonly schemaVersion: number
  readonly events: EventCatalog<Events, Unknown>
  initial(): State
  evolve(state: State, event: ReadEvent<Events, Unknown>): State
  encode(state: State): JsonValue
  decode(state: JsonValue): State
}

/** Of an aggregate: what it folds to. */
export type StateOf<Of> = Of extends { initial(): infer State } ? State : never
/** Of an aggregate: what may be appended to its streams. */
export type NewEventsOf<Of> = Of extends { readonly events: EventCatalog<infer Events, UnknownEvents> }
  ? NewEventOf<Events>
  : never

const names = namesOf<AggregateDefinition<unknown, EventDefinitions>>({
  type: true,
  events: true,
  initialState: true,
  evolve: true,
  schemaVersion: true,
  upcasters: true,
  unknownEvents: true,
  snapshot: true,
})
const codecNames = namesOf<{ encode: unknown; decode: unknown }>({ encode: true, decode: true })

/**
 * Declares what a stream is about: its events, and the state that they come to. All types follow from `events` and
 * `initialState`.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { defineAggregate, eventData } from '@varve/core'
 *
 * export const account = defineAggregate({
 *   type: 'account',
 *   events: {
 *     'money.deposited': eventData<{ cents: number }>(),
 *     'money.withdrawn': eventData<{ cents: number }>(),
 *   },
 *   initialState: { cents: 0 },
 *   evolve: (state, event) => {
 *     switch (event.type) {
 *       case 'money.deposited':
 *         return { cents: state.cents + event.data.cents }
 *       case 'money.withdrawn':
 *         return { cents: state.cents - event.data.cents }
 *     }
 *   },
 * })
 * ```
 */
export function defineAggregate<
  State,
  const Events extends EventDefinitions,
  const Unknown extends UnknownEvents = 'fail',
>(definition: AggregateDefinition<State, Events, Unknown>): Aggregate<State, Events, Unknown> {
  const given = copyOptions<AggregateDefinition<State, Events, Unknown>>(definition, names, 'aggregate')
  const evolve = requiredFunction(given.evolve, 'aggregate.evolve')
  const codec = copyOptions<{ encode: unknown; decode: unknown }>(
    given.snapshot,
    codecNames,
    'aggregate.snapshot',
  )
  const encode = optionalFunction(codec.encode, 'aggregate.snapshot.encode')
  const decode = optionalFunction(codec.decode, 'aggregate.snapshot.decode')
  if ((encode === undefined) !== (decode === undefined)) {
    throw new InvalidArgumentError('aggregate.snapshot', 'has both encode and decode')
  }
  const asIs = (state: unknown): unknown => state
  return Object.freeze({
    type: requiredName(given.type, 'aggregate.type'),
    schemaVersion: wholeNumber(given.schemaVersion, 'aggregate.schemaVersion', 1, {
      min: 1,
      max: 2_147_483_647,
    }),
    events: catalogOf<Events, Unknown>(definition.events, {
      upcasters: definition.upcasters,
      unknownEvents: definition.unknownEvents,
    }),
    initial: initialStateOf<State, []>(definition, 'aggregate'),
    evolve: evolve as Aggregate<State, Events, Unknown>['evolve'],
    encode: (encode ?? asIs) as (state: State) => JsonValue,
    decode: (decode ?? asIs) as (state: JsonValue) => State,
  })
}
