import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { NewEvent, RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'

/** Event types, each with the schema of its data: zod, valibot, arktype, `eventData<…>()`, or any other Standard Schema. */
export type EventDefinitions = { readonly [type: string]: StandardSchemaV1 }

/** An event as a decision gives it; its `schemaVersion` is the newest one, and filled in. */
export type EventInput<Type extends string, Data> = Omit<NewEvent<Type, Data>, 'schemaVersion'>

/** The events that may be appended, by the definitions: a union that `type` tells apart. */
export type NewEventOf<Events extends EventDefinitions> = {
  [Type in keyof Events & string]: EventInput<Type, StandardSchemaV1.InferInput<Events[Type]>>
}[keyof Events & string]

/** The events as they are read, upcast to the newest version of their data: a union that `type` tells apart. */
export type RecordedEventOf<Events extends EventDefinitions> = {
  [Type in keyof Events & string]: RecordedEvent<Type, StandardSchemaV1.InferOutput<Events[Type]>>
}[keyof Events & string]

/**
 * What becomes of an event whose type is not defined: `'fail'` throws an `UnknownEventTypeError`, `'skip'` passes it over,
 * `'keep-raw'` hands it on as an `UnknownEvent`.
 */
export type UnknownEvents = 'fail' | 'skip' | 'keep-raw'

/** An event of a type that is not defined. Its `type` is `'*'`, so that a `switch` tells it from all that are. */
export interface UnknownEvent extends Omit<RecordedEvent, 'type'> {
  readonly type: '*'
  readonly data: JsonValue
  /** As it is stored. */
  readonly raw: RecordedEvent
}

/** What a reader of the definitions gets. */
export type ReadEvent<Events extends EventDefinitions, Unknown extends UnknownEvents> =
  | RecordedEventOf<Events>
  | (Unknown extends 'keep-raw' ? UnknownEvent : never)

/**
 * Data of a type that nobody checks at run time: for those who want the types without a schema library.
 *
 * @example
 * ```ts
 * import { defineAggregate, eventData } from '@varve/core'
 *
 * interface Deposited {
 *   cents: number
 * }
 *
 * export const account = defineAggregate({
 *   type: 'account',
 *   events: { 'money.deposited': eventData<Deposited>() },
 *   initialState: { cents: 0 },
 *   evolve: (state, event) => ({ cents: state.cents + event.data.cents }),
 * })
 * ```
 */
export function eventData<Data>(): StandardSchemaV1<Data, Data> {
  return {
    '~standard': { version: 1, vendor: 'varve', validate: (value) => ({ value: value as Data }) },
  }
}
