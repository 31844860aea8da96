import { InvalidArgumentError, isDuplicateEventError } from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import {
  copyOptions,
  namesOf,
  optionalName,
  requiredFunction,
  requiredName,
  wholeNumber,
} from '../option-values.js'
import type { Aggregate } from './aggregate.js'
import { decodeAll } from './catalog.js'
import { commandEventId, inEnvelope } from './envelope.js'
import type { EventAccess } from './event-access.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import type { AggregateLoader, LoadedStream } from './loader.js'
import type { Decide, Handled, HandleOptions, Loaded, Repository, RepositoryOptions } from './repository.js'
import { retryConflicts } from './retry-conflicts.js'
import { fold } from './stream-fold.js'

const handleNames = namesOf<HandleOptions>({
  commandId: true,
  envelope: true,
  retries: true,
  baseDelayMs: true,
})
const loadNames = namesOf<{ toVersion?: number }>({ toVersion: true })

/** The streams of one aggregate, in a store or a transaction. */
export class AggregateRepository<
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
    requiredFunction(decide, 'decide')
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
        const events = await this.#aggregate.events.validate(eventsOf(decided))
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

/** What was decided, as a list; nobody who is not typed need know `undefined` from `null`. */
export function eventsOf<Event>(decided: readonly Event[] | Event | undefined): readonly Event[] {
  if (decided === undefined || decided === null) return []
  return Array.isArray(decided) ? (decided as readonly Event[]) : [decided as Event]
}
