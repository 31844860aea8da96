import { InvalidArgumentError, isDuplicateEventError } from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import { copyOptions, namesOf, optionalName, requiredName, wholeNumber } from '../option-values.js'
import type { Aggregate } from './aggregate.js'
import { commandEventId, inEnvelope, type Envelope } from './envelope.js'
import type { EventAccess } from './event-access.js'
import { decodeAll } from './event-catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { AggregateLoader, type LoadedStream } from './loader.js'
import { retryConflicts, type ConflictRetryOptions } from './retry-conflicts.js'
import type { SnapshotPolicy } from './snapshot-policy.js'
import { fold } from './stream-fold.js'

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
const handleNames = namesOf<HandleOptions>({
  commandId: true,
  envelope: true,
  retries: true,
  baseDelayMs: true,
})
const loadNames = namesOf<{ toVersion?: number }>({ toVersion: true })

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
  const given = copyOptions<RepositoryOptions>(options, repositoryNames) as RepositoryOptions
  const loader = new AggregateLoader(store, aggregate, given.snapshots)
  return new AggregateRepository(store, aggregate, loader, given)
}

class AggregateRepository<
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents,
> implements Repository<State, Events, Unknown> {
  readonly #store: EventAccess
  readonly #aggregate: Aggregate<State, Events, Unknown>
  readonly #loader: AggregateLoader<State, Events, Unknown>
  readonly #options: RepositoryOptions

  constructor(
    store: EventAccess,
    aggregate: Aggregate<State, Events, Unknown>,
    loader: AggregateLoader<State, Events, Unknown>,
    options: RepositoryOptions,
  ) {
    this.#store = store
    this.#aggregate = aggregate
    this.#loader = loader
    this.#options = options
  }

  async load(streamId: string, options?: { toVersion?: number | undefined }): Promise<Loaded<State>> {
    const { toVersion } = copyOptions<{ toVersion?: number }>(options, loadNames)
    const to = wholeNumber(toVersion, 'toVersion', Number.MAX_SAFE_INTEGER)
    const loaded = await this.#loader.load(streamId, to)
    if (toVersion === undefined) await this.#loader.snapshotIfDue(loaded)
    return { state: loaded.state, version: loaded.version }
  }

  async exists(streamId: string): Promise<boolean> {
    return (await this.#store.getStream(streamId)) !== undefined
  }

  snapshot(streamId: string): Promise<boolean> {
    return this.#loader.snapshotNow(streamId)
  }

  async handle(
    streamId: string,
    decide: Decide<State, NewEventOf<Events>>,
    options?: HandleOptions,
  ): Promise<Handled<State, ReadEvent<Events, Unknown>>> {
    const given = copyOptions<HandleOptions>(options, handleNames) as HandleOptions
    const commandId = optionalName(given.commandId, 'commandId')
    const scope = ['aggregate', requiredName(streamId, 'streamId')]
    const command =
      commandId === undefined
        ? undefined
        : { commandId, idOf: (index: number) => commandEventId(scope, commandId, index) }
    return retryConflicts(
      {
        retries: given.retries ?? this.#options.retries,
        baseDelayMs: given.baseDelayMs ?? this.#options.baseDelayMs,
      },
      async (attempt) => {
        if (command !== undefined) {
          const known = await this.#recognise(streamId, command.idOf)
          if (known !== undefined) return known
        }
        const loaded = await this.#loader.load(streamId)
        const decided = await decide(loaded.state, { streamId, version: loaded.version, attempt })
        const events = await this.#aggregate.events.validate(listOf(decided))
        return this.#append(loaded, inEnvelope(events, given.envelope, command))
      },
      // the same command, handled elsewhere at the same time and decided otherwise: it is recognised in the next try
      (error) => command !== undefined && isDuplicateEventError(error) && error.eventId === command.idOf(0),
    )
  }

  async #append(
    loaded: LoadedStream<State>,
    events: readonly NewEvent[],
  ): Promise<Handled<State, ReadEvent<Events, Unknown>>> {
    const { streamId, version } = loaded
    if (events.length === 0) return { state: loaded.state, version, events: [], duplicate: false }
    const streamType = this.#aggregate.type
    const result = await this.#store.append(streamId, events, { expectedVersion: version, streamType })
    if (result.duplicate) return this.#repeated(streamId, result.events)
    await fold(this.#aggregate, loaded, result.events)
    await this.#loader.snapshotIfDue(loaded, result.events.at(-1))
    return {
      ...stateOf(loaded),
      events: await decodeAll(this.#aggregate.events, result.events),
      duplicate: false,
    }
  }

  /** The result of the call that handled the command first. */
  async #recognise(streamId: string, idOf: (index: number) => string) {
    const first = await this.#store.getEvent(idOf(0))
    if (first === undefined) return undefined
    if (first.streamId !== streamId) {
      throw new InvalidArgumentError('commandId', `its event is in another stream, '${first.streamId}'`)
    }
    const events: RecordedEvent[] = []
    for await (const event of this.#store.readStream(streamId, { fromVersion: first.version })) {
      if (event.id !== idOf(events.length)) break
      events.push(event)
    }
    return this.#repeated(streamId, events)
  }

  async #repeated(
    streamId: string,
    events: readonly RecordedEvent[],
  ): Promise<Handled<State, ReadEvent<Events, Unknown>>> {
    const loaded = await this.#loader.load(streamId, events.at(-1)?.version)
    return { ...stateOf(loaded), events: await decodeAll(this.#aggregate.events, events), duplicate: true }
  }
}

function stateOf<State>({ state, version }: LoadedStream<State>): Loaded<State> {
  return { state, version }
}

function listOf<Event>(decided: readonly Event[] | Event | undefined): readonly Event[] {
  if (decided === undefined) return []
  return Array.isArray(decided) ? (decided as readonly Event[]) : [decided as Event]
}
