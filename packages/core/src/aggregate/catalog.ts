import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe } from '../describe.js'
import {
  InvalidArgumentError,
  SchemaValidationError,
  SerializationError,
  UnknownEventTypeError,
} from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'
import type { EventCatalog } from './event-catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { chainsOf, type Upcaster } from './upcaster.js'

export class Catalog<Events extends EventDefinitions, Unknown extends UnknownEvents> implements EventCatalog<
  Events,
  Unknown
> {
  readonly types: readonly (keyof Events & string)[]
  readonly definitions: Events
  readonly upcasters: readonly Upcaster[]
  readonly #schemas: ReadonlyMap<string, StandardSchemaV1>
  readonly #chain: ReturnType<typeof chainsOf>
  readonly #unknown: UnknownEvents

  constructor(
    schemas: ReadonlyMap<string, StandardSchemaV1>,
    upcasters: readonly Upcaster[],
    unknown: UnknownEvents,
  ) {
    this.#schemas = schemas
    this.types = Object.freeze([...schemas.keys()])
    this.definitions = Object.freeze(Object.fromEntries(schemas)) as Events
    this.upcasters = Object.freeze([...upcasters])
    this.#chain = chainsOf(this.types, this.upcasters)
    this.#unknown = unknown
  }

  schemaVersion(type: keyof Events & string): number {
    return this.#chain(type).newest
  }

  async validate(events: readonly NewEventOf<Events>[]): Promise<NewEvent[]> {
    const validated: NewEvent[] = []
    for (const [index, event] of (events as readonly NewEvent[]).entries()) {
      refuseOther(event, index)
      const schema = this.#schemas.get(event.type)
      if (schema === undefined) throw new UnknownEventTypeError(event.type, this.types)
      const schemaVersion = this.#chain(event.type).newest
      if (event.schemaVersion !== undefined && event.schemaVersion !== schemaVersion) {
        throw new InvalidArgumentError(
          'schemaVersion',
          `'${event.type}' is appended in version ${schemaVersion}, the newest its upcasters lead to, not in ${event.schemaVersion}`,
        )
      }
      validated.push({
        ...event,
        data: (await parse(schema, event.type, event.data)) as JsonValue,
        schemaVersion,
      })
    }
    return validated
  }

  decode(event: RecordedEvent): ReturnType<EventCatalog<Events, Unknown>['decode']> {
    const schema = this.#schemas.get(event.type)
    if (schema === undefined) return this.#decodeUnknown(event)
    const { newest } = this.#chain(event.type)
    // what was validated when it was appended need not be again
    if (event.schemaVersion === newest) return typed<Events, Unknown>(event)
    return this.#upcast(event, schema)
  }

  async *read(events: AsyncIterable<RecordedEvent>): AsyncGenerator<ReadEvent<Events, Unknown>, undefined> {
    for await (const event of events) {
      const decoded = await this.decode(event)
      if (decoded !== undefined) yield decoded
    }
  }

  #decodeUnknown(event: RecordedEvent): ReadEvent<Events, Unknown> | undefined {
    if (this.#unknown === 'skip') return undefined
    if (this.#unknown === 'fail') {
      const place = `in stream '${event.streamId}' at version ${event.version}`
      const advice = "define it, or say with unknownEvents ('skip', 'keep-raw') what becomes of such events"
      throw new UnknownEventTypeError(event.type, this.types, `${place}: ${advice}`)
    }
    return typed<Events, Unknown>({ ...event, type: '*', raw: event })
  }

  async #upcast(event: RecordedEvent, schema: StandardSchemaV1): Promise<ReadEvent<Events, Unknown>> {
    const { newest, steps } = this.#chain(event.type)
    let { data, schemaVersion } = event as { data: unknown; schemaVersion: number }
    while (schemaVersion !== newest) {
      const step = steps.get(schemaVersion)
      if (step === undefined) throw noWay(event, newest)
      try {
        data = await step.upcast(data, event)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new SerializationError(
          event.position,
          `upcasting from ${step.from} to ${step.to} failed: ${reason}`,
          error,
        )
      }
      schemaVersion = step.to
    }
    data = await parse(schema, event.type, data)
    return typed<Events, Unknown>({ ...event, data, schemaVersion })
  }
}

/** @throws InvalidArgumentError for what is no event at all, as a decision that was not typed may give. */
function refuseOther(event: unknown, index: number): void {
  if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string') return
  throw new InvalidArgumentError(
    `events[${index}]`,
    `must be an event, { type, data }, is ${describe(event)}`,
  )
}

function noWay({ type, schemaVersion, position }: RecordedEvent, newest: number): SchemaValidationError {
  const message =
    schemaVersion > newest
      ? `the event at position ${position} has schemaVersion ${schemaVersion}, this reader knows it up to ${newest}: it lacks an upcaster that others have, or is older code`
      : `the event at position ${position} has schemaVersion ${schemaVersion}, and no upcaster leads from there to ${newest}`
  return new SchemaValidationError(type, [{ message }])
}

/** An event that is known to be as the definitions say. */
function typed<Events extends EventDefinitions, Unknown extends UnknownEvents>(
  event: unknown,
): ReadEvent<Events, Unknown> {
  return event as ReadEvent<Events, Unknown>
}

/** Decodes events in their order; those that are to be skipped are left out. */
export async function decodeAll<Events extends EventDefinitions, Unknown extends UnknownEvents>(
  catalog: EventCatalog<Events, Unknown>,
  events: readonly RecordedEvent[],
): Promise<ReadEvent<Events, Unknown>[]> {
  const decoded: ReadEvent<Events, Unknown>[] = []
  for (const event of events) {
    const one = await catalog.decode(event)
    if (one !== undefined) decoded.push(one)
  }
  return decoded
}

async function parse(schema: StandardSchemaV1, type: string, data: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(data)
  if (result.issues === undefined) return result.value
  throw new SchemaValidationError(
    type,
    result.issues.map(({ message, path }) =>
      path === undefined
        ? { message }
        : { message, path: path.map((segment) => (typeof segment === 'object' ? segment.key : segment)) },
    ),
  )
}
