import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import { nameProblem } from '../names.js'
import { copyOptions, namesOf, oneOf } from '../option-values.js'
import { Catalog } from './catalog.js'
import type { EventDefinitions, NewEventOf, ReadEvent, UnknownEvents } from './event-definitions.js'
import { checkedUpcasters, type Upcaster } from './upcaster.js'

export interface EventCatalogOptions<Unknown extends UnknownEvents> {
  upcasters?: readonly Upcaster[] | undefined
  /** What becomes of events whose type is not defined; `'fail'` when absent. */
  unknownEvents?: Unknown | undefined
}

/** Event types with their schemas and their history: validates what is appended, upcasts and types what is read. */
export interface EventCatalog<Events extends EventDefinitions, Unknown extends UnknownEvents = 'fail'> {
  readonly types: readonly (keyof Events & string)[]
  /** The schemas as they were given; spread them to define events of several catalogs together. */
  readonly definitions: Events
  readonly upcasters: readonly Upcaster[]
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

/** Where a definition's events come from: schemas by type, or a catalog (`account.events`), which brings its upcasters. */
export type EventSource<Events extends EventDefinitions> = Events | EventCatalog<Events, UnknownEvents>

const optionNames = namesOf<EventCatalogOptions<UnknownEvents>>({ upcasters: true, unknownEvents: true })
const policies: readonly UnknownEvents[] = ['fail', 'skip', 'keep-raw']

/**
 * Declares event types with their history: for readers of the log, and to be shared by aggregates, commands and processes.
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
  return new Catalog<Events, Unknown>(checkedSchemas(definitions), checkedUpcasters(given.upcasters), unknown)
}

/** The catalog of a definition that names its events, or takes those of a catalog with all their history. */
export function catalogOf<
  const Events extends EventDefinitions,
  const Unknown extends UnknownEvents = 'fail',
>(events: EventSource<Events>, options: EventCatalogOptions<Unknown>): EventCatalog<Events, Unknown> {
  if (!isCatalog(events)) return defineEvents<Events, Unknown>(events, options)
  if (options.upcasters !== undefined)
    throw new InvalidArgumentError(
      'upcasters',
      'belong to the catalog that is given as events; give them there',
    )
  return defineEvents<Events, Unknown>(events.definitions, { ...options, upcasters: events.upcasters })
}

// what a definition holds is a schema, and no schema is an array
function isCatalog<Events extends EventDefinitions>(
  events: EventSource<Events>,
): events is EventCatalog<Events, UnknownEvents> {
  return typeof events === 'object' && events !== null && Array.isArray(events.types)
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
    const problem = type === '*' ? 'stands for types that are not defined' : nameProblem(type)
    if (problem !== undefined) throw new InvalidArgumentError(`events['${type.slice(0, 40)}']`, problem)
    // libraries give schemas that are functions, too
    if (typeof schema?.['~standard']?.validate !== 'function') {
      const wanted = 'must be a Standard Schema (zod, valibot, arktype …) or eventData<…>()'
      throw new InvalidArgumentError(`events['${type}']`, `${wanted}, is ${describe(schema)}`)
    }
    schemas.set(type, schema)
  }
  return schemas
}
