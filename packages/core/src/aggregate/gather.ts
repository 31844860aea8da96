import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import { copyOptions, namesOf, optionalName, requiredName } from '../option-values.js'
import type { CommandType, StreamReference } from './command.js'
import type { EventDefinitions, UnknownEvents } from './event-definitions.js'
import { fold } from './stream-fold.js'

/** A stream that was read. */
export interface GatheredStream {
  readonly version: number
  /** As it was declared; of no matter to a stream that exists. */
  readonly streamType: string | undefined
}

/** Where streams are read from: a store, or a scenario of a test. */
export interface StreamSource {
  readStream(streamId: string): AsyncIterable<RecordedEvent> | Iterable<RecordedEvent>
}

export interface Gathered<State> {
  readonly state: State
  /** In the order in which they were read. */
  readonly streams: ReadonlyMap<string, GatheredStream>
}

const referenceNames = namesOf<Exclude<StreamReference, string>>({ streamId: true, streamType: true })

/** Reads the streams of a command, first come, first read, each once; and those that are discovered on the way. */
export async function gather<Command, State, Events extends EventDefinitions, Unknown extends UnknownEvents>(
  store: StreamSource,
  definition: CommandType<Command, State, Events, Unknown>,
  command: Command,
): Promise<Gathered<State>> {
  const streams = new Map<string, GatheredStream>()
  const queue = new StreamQueue(definition.maxStreams)
  let state = definition.initial(command)
  queue.add(definition.streams(command))
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    const folded = await fold(definition, { state, version: 0 }, store.readStream(next.streamId))
    state = folded.state
    streams.set(next.streamId, { version: folded.version, streamType: next.streamType })
    queue.add(definition.discover(state, command))
  }
  return { state, streams }
}

class StreamQueue {
  readonly #max: number
  readonly #asked = new Map<string, { readonly streamId: string; readonly streamType: string | undefined }>()
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  add(references: readonly StreamReference[]): void {
    if (!Array.isArray(references)) {
      const wanted = 'must be an array of stream ids, or of { streamId, streamType }'
      throw new InvalidArgumentError('streams', `${wanted}, is ${describe(references)}`)
    }
    for (const [index, reference] of (references as readonly StreamReference[]).entries()) {
      const path = `streams[${index}]`
      const given: unknown = typeof reference === 'string' ? { streamId: reference } : (reference ?? null)
      const copied = copyOptions<Exclude<StreamReference, string>>(given, referenceNames, path)
      const streamId = requiredName(copied.streamId, `${path}.streamId`)
      const streamType = optionalName(copied.streamType, `${path}.streamType`)
      if (this.#asked.has(streamId)) continue
      if (this.#asked.size >= this.#max) {
        throw new InvalidArgumentError(
          'streams',
          `the command asks for more than ${this.#max} streams (maxStreams), the next would be '${streamId}'`,
        )
      }
      this.#asked.set(streamId, { streamId, streamType })
    }
  }

  next() {
    // a map remembers the order in which its keys came
    return [...this.#asked.values()][this.#taken++]
  }
}
