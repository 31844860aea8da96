import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import { copyOptions, namesOf } from '../option-values.js'
import type { Aggregate } from './aggregate.js'
import { AggregateRepository } from './aggregate-repository.js'
import type { Envelope } from './envelope.js'
import { requireStore, type EventAccess } from './event-access.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { AggregateLoader } from './loader.js'
import type { ConflictRetryOptions } from './retry-conflicts.js'
import type { SnapshotPolicy } from './snapshot-policy.js'

export interface RepositoryOptions extends ConflictRetryOptions {
  /** When to take snapshots; `true` for every so many events as the store's preset says, none when absent. */
  snapshots?: boolean | SnapshotPolicy | undefined
}

export interface HandleOptions extends ConflictRetryOptions {
  /**
   * Names the command, 1–255 UTF-8 bytes: handled again on the same stream, it is recognised before anything is decided, and
   * gives its first result. (One that led to no events leaves no trace, and is decided again.) Becomes the `causationId`.
   */
  commandId?: string | undefined
  /** What all events share, where an event does not say otherwise. */
  envelope?: Envelope | undefined
}

export interface Loaded<State> {
  readonly state: State
  /** 0 for a stream that does not exist. */
  readonly version: number
}

export interface Handled<State, Event> extends Loaded<State> {
  /** What was appended, as it is read. */
  readonly events: readonly Event[]
  /** Whether it had been appended by an earlier call. */
  readonly duplicate: boolean
}

/** What a decision may know beside the state. */
export interface DecisionContext {
  readonly streamId: string
  readonly version: number
  /** 1 for the first try; more after conflicts. */
  readonly attempt: number
}

/** Decides what happens: events, one event, or nothing. Throws to refuse. Runs again after a conflict. */
export type Decide<State, Event> = (
  state: State,
  context: DecisionContext,
) => readonly Event[] | Event | undefined | Promise<readonly Event[] | Event | undefined>

/** Loads and changes the streams of one aggregate. */
export interface Repository<State, Events extends EventDefinitions, Unknown extends UnknownEvents = 'fail'> {
  /**
   * The state of a stream, up to `toVersion` (inclusive) or to its end.
   *
   * @throws UnknownEventTypeError, SchemaValidationError for what cannot be read.
   * @throws InvalidArgumentError for a stream of another type.
   */
  load(streamId: string, options?: { toVersion?: number | undefined }): Promise<Loaded<State>>
  /**
   * Loads the state, decides, and appends, if nobody has appended meanwhile; otherwise all of it again.
   *
   * @throws ConcurrencyError when the retries are used up; what `decide` throws, unchanged; and as `append`.
   * @throws SchemaValidationError, UnknownEventTypeError for events that are not as defined; nothing was appended.
   */
  handle(
    streamId: string,
    decide: Decide<State, NewEventOf<Events>>,
    options?: HandleOptions,
  ): Promise<Handled<State, ReadEvent<Events, Unknown>>>
  exists(streamId: string): Promise<boolean>
  /** Takes a snapshot now, due or not. Resolves to whether it was saved; a newer one is left alone. Throws what fails. */
  snapshot(streamId: string): Promise<boolean>
}

const repositoryNames = namesOf<RepositoryOptions>({ snapshots: true, retries: true, baseDelayMs: true })

/**
 * Makes a repository of an aggregate's streams, over a store or inside a transaction.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { createRepository, defineAggregate, eventData, type EventStore } from '@varve/core'
 *
 * const account = defineAggregate({
 *   type: 'account',
 *   events: { 'money.withdrawn': eventData<{ cents: number }>() },
 *   initialState: { cents: 100 },
 *   evolve: (state, event) => ({ cents: state.cents - event.data.cents }),
 * })
 *
 * export async function withdraw(store: EventStore, id: string, cents: number, commandId: string): Promise<number> {
 *   const accounts = createRepository(store, account, { snapshots: { every: 100, keep: 5 } })
 *   const { state } = await accounts.handle(
 *     id,
 *     (current) => {
 *       if (cents > current.cents) throw new Error('insufficient funds')
 *       return [{ type: 'money.withdrawn', data: { cents } }]
 *     },
 *     { commandId },
 *   )
 *   return state.cents
 * }
 * ```
 */
export function createRepository<State, Events extends EventDefinitions, Unknown extends UnknownEvents>(
  store: EventAccess,
  aggregate: Aggregate<State, Events, Unknown>,
  options?: RepositoryOptions,
): Repository<State, Events, Unknown> {
  requireStore(store)
  if (typeof aggregate?.evolve !== 'function' || typeof aggregate.initial !== 'function') {
    throw new InvalidArgumentError(
      'aggregate',
      `must be what defineAggregate gives, is ${describe(aggregate)}`,
    )
  }
  const given = copyOptions<RepositoryOptions>(options, repositoryNames) as RepositoryOptions
  const loader = new AggregateLoader(store, aggregate, given.snapshots)
  return new AggregateRepository(store, aggregate, loader, given)
}
