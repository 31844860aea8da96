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
import { copyOptions, namesOf, oneOf } from '../option-values.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { chainsOf, type Upcaster } from './upcaster.js'

export interface EventCatalogOptions<Unknown extends UnknownEvents> {
  upcasters?: readonly Upcaster[] | undefined
  /** What becomes of events whose type is not defined; `'fail'` when absent. */
  unknownEvents?: Unknown | undefined
}

/** Event types with their schemas and their history: validates what is appended, upcasts and types what is read. */
export interface EventCatalog<Events extends EventDefinitions, Unknown extends UnknownEvents = 'fail'> {
  readonly types: readonly (keyof Events & string)[]
  /** The version in which events of this type are appended, and to which they are read. */
  schemaVersion(type: keyof Events & string): number
  /**
   * Events to append: validated, with the newest `schemaVersion`. What the schema makes of the data is what is stored.
   *
   * @throws SchemaValidationError
   * @throws UnknownEventTypeError
   */
  validate(events: readonly NewEventOf<Events>[]): Promise<NewEvent[]>
  /**
   * A stored event, upcast to the newest version; `undefined` for one that is to be skipped. A promise only where an
   * upcaster or a schema is asynchronous.
   *
   * @throws SchemaValidationError for data that cannot be brought to the newest version.
   * @throws UnknownEventTypeError
   */
  decode(
    event: RecordedEvent,
  ): ReadEvent<Events, Unknown> | undefined | Promise<ReadEvent<Events, Unknown> | undefined>
  /** The events of a read, such as `store.readAll()`, decoded one by one. */
  read(events: AsyncIterable<RecordedEvent>): AsyncGenerator<ReadEvent<Events, Unknown>, undefined>
}

const optionNames = namesOf<EventCatalogOptions<UnknownEvents>>({ upcasters: true, unknownEvents: true })
const policies: readonly UnknownEvents[] = ['fail', 'skip', 'keep-raw']

/**
 * Declares event types, for readers of the log that are no aggregate.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { defineEvents, eventData, type EventStore } from '@varve/core'
 *
 * const events = defineEvents({ 'money.deposited': eventData<{ cents: number }>() }, { unknownEvents: 'skip' })
 *
 * export async function deposited(store: EventStore): Promise<number> {
 *   let cents = 0
 *   for await (const event of events.read(store.readAll())) cents += event.data.cents
 *   return cents
 * }
 * ```
 */
export function defineEvents<
  const Events extends EventDefinitions,
  const Unknown extends UnknownEvents = 'fail',
>(definitions: Events, options?: EventCatalogOptions<Unknown>): EventCatalog<Events, Unknown> {
  const given = copyOptions<EventCatalogOptions<Unknown>>(options, optionNames)
  const unknown = oneOf(given.unknownEvents, 'unknownEvents', policies, 'fail')
  return new Catalog<Events, Unknown>(checkedSchemas(definitions), given.upcasters ?? [], unknown)
}

function checkedSchemas(definitions: unknown): Map<string, StandardSchemaV1> {
  if (typeof definitions !== 'object' || definitions === null || Array.isArray(definitions)) {
    throw new InvalidArgumentError(
      'events',
      `must be an object of schemas by event type, is ${describe(definitions)}`,
    )
  }
  const schemas = new Map<string, StandardSchemaV1>()
  for (const [type, schema] of Object.entries(definitions) as [string, StandardSchemaV1 | undefined][]) {
    // libraries give schemas that are functions, too
    if (typeof schema?.['~standard']?.validate !== 'function') {
      const wanted = 'must be a Standard Schema (zod, valibot, arktype …) or eventData<…>()'
      throw new InvalidArgumentError(`events['${type}']`, `${wanted}, is ${describe(schema)}`)
    }
    schemas.set(type, schema)
  }
  return schemas
}

class Catalog<Events extends EventDefinitions, Unknown extends UnknownEvents> implements EventCatalog<
  Events,
  Unknown
> {
  readonly types: readonly (keyof Events & string)[]
  readonly #schemas: ReadonlyMap<string, StandardSchemaV1>
  readonly #chain: ReturnType<typeof chainsOf>
  readonly #unknown: UnknownEvents

  constructor(schemas: ReadonlyMap<string, StandardSchemaV1>, upcasters: unknown, unknown: UnknownEvents) {
    if (!Array.isArray(upcasters)) throw new InvalidArgumentError('upcasters', 'must be an array')
    this.#schemas = schemas
    this.types = Object.freeze([...schemas.keys()])
    this.#chain = chainsOf(this.types, upcasters as readonly Upcaster[])
    this.#unknown = unknown
  }

  schemaVersion(type: keyof Events & string): number {
    return this.#chain(type).newest
  }

  async validate(events: readonly NewEventOf<Events>[]): Promise<NewEvent[]> {
    const validated: NewEvent[] = []
    for (const event of events as readonly NewEvent[]) {
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
    if (this.#unknown === 'fail') throw new UnknownEventTypeError(event.type, this.types)
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

function noWay({ type, schemaVersion, position }: RecordedEvent, newest: number): SchemaValidationError {
  const message =
    schemaVersion > newest
      ? `the event at position ${position} has schemaVersion ${schemaVersion}, this code knows it up to ${newest}: deploy the newer code here too`
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
