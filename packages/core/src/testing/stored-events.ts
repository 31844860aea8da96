import type { EventCatalog } from '../aggregate/event-catalog.js'
import type { EventDefinitions, NewEventOf, UnknownEvents } from '../aggregate/event-definitions.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import { newEvent } from '../event.js'
import { ImpossiblePast } from './expectation.js'

const FIRST_MOMENT = Date.UTC(2026, 0, 1)

/** Gives events their places in a log that nobody keeps: the first version and position are 1, a second lies between two. */
export class ScenarioLog {
  readonly #streams = new Map<string, RecordedEvent[]>()
  #position = 0

  async append<Events extends EventDefinitions>(
    catalog: EventCatalog<Events, UnknownEvents>,
    streamId: string,
    streamType: string,
    events: readonly NewEventOf<Events>[],
  ): Promise<void> {
    const validated = await catalog.validate(events).catch((error: unknown) => {
      throw new ImpossiblePast(error)
    })
    for (const event of validated) this.#store(streamId, streamType, event)
  }

  #store(streamId: string, streamType: string, event: NewEvent): void {
    const stream = this.#streams.get(streamId) ?? []
    this.#streams.set(streamId, stream)
    const at = new Date(FIRST_MOMENT + this.#position * 1_000)
    this.#position += 1
    stream.push({
      metadata: {},
      schemaVersion: 1,
      tags: [],
      occurredAt: at,
      ...newEvent(event),
      tenantId: 'default',
      streamId,
      streamType,
      version: stream.length + 1,
      position: this.#position,
      recordedAt: at,
      sizeBytes: Buffer.byteLength(JSON.stringify(event.data)),
      checksum: '0'.repeat(64),
    } as RecordedEvent)
  }

  read(streamId: string): readonly RecordedEvent[] {
    return this.#streams.get(streamId) ?? []
  }
}
