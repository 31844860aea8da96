import { describe } from '../describe.js'
import { InvalidArgumentError, isDuplicateEventError, UndeclaredStreamError } from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import type { StreamWrite } from '../event-store.js'
import { copyOptions, namesOf, optionalName, requiredName } from '../option-values.js'
import type { CommandDecision, CommandType, CommandWrite } from './command.js'
import { commandEventId, inEnvelope } from './envelope.js'
import { requireStore, type EventAccess } from './event-access.js'
import { decodeAll } from './catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { gather, type Gathered } from './gather.js'
import type { HandleOptions } from './repository.js'
import { retryConflicts } from './retry-conflicts.js'

export type ExecuteOptions = HandleOptions

export interface Executed<Event> {
  /** What was appended, as it is read, in the order of positions. */
  readonly events: readonly Event[]
  /** The version of each stream that was read, after the command; only of those written to, for a duplicate. */
  readonly versions: ReadonlyMap<string, number>
  /** Whether it had been appended by an earlier call. */
  readonly duplicate: boolean
  /** How many tries it took. */
  readonly attempts: number
}

const names = namesOf<ExecuteOptions>({ commandId: true, envelope: true, retries: true, baseDelayMs: true })

/**
 * Reads the streams of a command, decides, and appends to them, all or nothing, if none of the streams that were read has
 * changed meanwhile, also of those that are not written to; otherwise all of it again.
 *
 * @throws ConcurrencyError when the retries are used up; what `decide` throws, unchanged; and as `appendMany`.
 * @throws UndeclaredStreamError for a write to a stream that was not read; nothing was appended.
 * @throws SchemaValidationError, UnknownEventTypeError for events that are not as defined.
 */
export async function executeCommand<
  Command,
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents,
>(
  store: EventAccess,
  definition: CommandType<Command, State, Events, Unknown>,
  command: Command,
  options?: ExecuteOptions,
): Promise<Executed<ReadEvent<Events, Unknown>>> {
  requireStore(store)
  if (typeof definition?.decide !== 'function' || typeof definition.initial !== 'function') {
    throw new InvalidArgumentError(
      'definition',
      `must be what defineCommand gives, is ${describe(definition)}`,
    )
  }
  const given = copyOptions<ExecuteOptions>(options, names) as ExecuteOptions
  const commandId = optionalName(given.commandId, 'commandId')
  const idOf = (index: number): string => commandEventId(['command', definition.name], commandId ?? '', index)
  const identity = commandId === undefined ? undefined : { commandId, idOf }
  const decode = (events: readonly RecordedEvent[]) => decodeAll(definition.events, events)

  return retryConflicts(
    given,
    async (attempts) => {
      if (identity !== undefined) {
        const known = await recognise(store, idOf)
        if (known.length > 0) {
          return { events: await decode(known), versions: versionsOf(known), duplicate: true, attempts }
        }
      }
      const gathered = await gather(store, definition, command)
      const versions = new Map([...gathered.streams].map(([streamId, { version }]) => [streamId, version]))
      const decided = await definition.decide(command, gathered.state, { attempt: attempts, versions })
      const events = await eventsByStream(definition, gathered, decided)
      const prepared = inEnvelope(
        [...events.values()].flatMap(({ events: list }) => list),
        given.envelope,
        identity,
      )
      const results = await store.appendMany(writesFor(gathered, events, prepared))
      for (const { streamId, version } of results) versions.set(streamId, version)
      const duplicate = results.some((result) => result.duplicate)
      return {
        events: await decode(results.flatMap((result) => [...result.events])),
        versions,
        duplicate,
        attempts,
      }
    },
    // the same command, executed elsewhere at the same time and decided otherwise: it is recognised in the next try
    (error) => identity !== undefined && isDuplicateEventError(error) && error.eventId === idOf(0),
  )
}

const writeNames = namesOf<CommandWrite<unknown>>({ streamId: true, events: true, streamType: true })

interface DecidedWrite {
  readonly streamType: string | undefined
  readonly events: NewEvent[]
}

/** By stream, in the order in which the decision names them; each event validated. */
export async function eventsByStream<
  Command,
  State,
  Events extends EventDefinitions,
  Unknown extends UnknownEvents,
>(
  { events: catalog }: CommandType<Command, State, Events, Unknown>,
  { streams }: Gathered<State>,
  decided: CommandDecision<NewEventOf<Events>>,
): Promise<Map<string, DecidedWrite>> {
  const writes = new Map<string, DecidedWrite>()
  for (const { streamId, streamType, events } of checkedWrites(decided)) {
    const declared = streams.get(streamId)
    if (declared === undefined) throw new UndeclaredStreamError(streamId)
    const write = writes.get(streamId) ?? { streamType: streamType ?? declared.streamType, events: [] }
    write.events.push(...(await catalog.validate(events)))
    writes.set(streamId, write)
  }
  return writes
}

/** What was decided, should it not have been typed. @throws InvalidArgumentError */
function checkedWrites<Event>(decided: CommandDecision<Event>): readonly CommandWrite<Event>[] {
  if (decided === undefined || decided === null) return []
  const wanted = 'must give writes, [{ streamId, events: [...] }], or nothing'
  if (!Array.isArray(decided))
    throw new InvalidArgumentError('decide', `${wanted}, gives ${describe(decided)}`)
  for (const [index, write] of (decided as readonly unknown[]).entries()) {
    const { streamId, events } = copyOptions<CommandWrite<Event>>(
      write ?? null,
      writeNames,
      `writes[${index}]`,
    )
    requiredName(streamId, `writes[${index}].streamId`)
    if (Array.isArray(events)) continue
    throw new InvalidArgumentError(`writes[${index}].events`, `must be an array, is ${describe(events)}`)
  }
  return decided
}

/** Every stream that was read is checked, those that are written to first. */
function writesFor<State>(
  { streams }: Gathered<State>,
  decided: ReadonlyMap<string, DecidedWrite>,
  prepared: readonly NewEvent[],
): StreamWrite[] {
  let next = 0
  const writes = [...decided].map(([streamId, { streamType, events }]): StreamWrite => {
    const own = prepared.slice(next, (next += events.length))
    const expectedVersion = streams.get(streamId)?.version ?? 0
    return { streamId, events: own, expectedVersion, ...(own.length > 0 && { streamType }) }
  })
  for (const [streamId, { version }] of streams) {
    if (!decided.has(streamId)) writes.push({ streamId, events: [], expectedVersion: version })
  }
  return writes
}

/** The events of an earlier call of the same command; none when there was none. */
async function recognise(store: EventAccess, idOf: (index: number) => string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for (
    let next = await store.getEvent(idOf(0));
    next !== undefined;
    next = await store.getEvent(idOf(events.length))
  ) {
    events.push(next)
  }
  return events
}

function versionsOf(events: readonly RecordedEvent[]): Map<string, number> {
  return new Map(events.map(({ streamId, version }) => [streamId, version]))
}
