import { InvalidArgumentError, SerializationError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import type { EventCatalog } from './event-catalog.js'
import type { EventDefinitions, ReadEvent, UnknownEvents } from './event-definitions.js'

/** A state on its way through the events of a stream. */
export interface Folded<State> {
  state: State
  version: number
}

export interface Folding<State, Events extends EventDefinitions, Unknown extends UnknownEvents> {
  readonly events: EventCatalog<Events, Unknown>
  evolve(state: State, event: ReadEvent<Events, Unknown>): State
}

/**
 * Folds events of one stream, in their order, into what was folded before them.
 *
 * @throws SerializationError for a gap between their versions.
 */
export async function fold<State, Events extends EventDefinitions, Unknown extends UnknownEvents>(
  folding: Folding<State, Events, Unknown>,
  folded: Folded<State>,
  events: AsyncIterable<RecordedEvent> | Iterable<RecordedEvent>,
  look: (event: RecordedEvent) => void = () => undefined,
): Promise<Folded<State>> {
  for await (const recorded of events) {
    look(recorded)
    if (recorded.version !== folded.version + 1) {
      const gap = `version ${recorded.version} of stream '${recorded.streamId}' follows version ${folded.version}`
      throw new SerializationError(recorded.position, gap)
    }
    const decoded = folding.events.decode(recorded)
    // most are no promises, and waiting for each would cost more than the rest
    const event = decoded instanceof Promise ? await decoded : decoded
    if (event !== undefined) folded.state = awaited(folding.evolve(folded.state, event))
    folded.version = recorded.version
  }
  return folded
}

function awaited<State>(state: State): State {
  if (!(state instanceof Promise)) return state
  // what it comes to is nobody's business any more, not even as an unhandled rejection
  state.catch(() => undefined)
  throw new InvalidArgumentError('evolve', 'must give a state, gives a promise: it may not be async')
}

/** @throws InvalidArgumentError when the event's stream is of another type. */
export function refuseOtherType(event: RecordedEvent, streamType: string): void {
  if (event.streamType === streamType) return
  throw new InvalidArgumentError(
    'streamId',
    `stream '${event.streamId}' is of type '${event.streamType}', this repository is for '${streamType}'`,
  )
}
