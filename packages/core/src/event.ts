import { newEventId } from './event-id.js'
import type { JsonObject, JsonOf, JsonValue, ReadonlyJsonOf } from './json.js'

/** An event as it is handed to `append`. What is absent is filled in by the store. */
export interface NewEvent<Type extends string = string, Data = JsonValue, Metadata = JsonObject> {
  /** What happened, 1–255 UTF-8 bytes, such as `money.deposited`. */
  type: Type
  /** JSON only; comes back deep-equal (`-0` as `0`). */
  data: Data
  /** A JSON object about the event; `{}` when absent. */
  metadata?: Metadata | undefined
  /** A UUID, unique within the tenant, and the idempotency key of the append; a new UUIDv7 when absent. */
  id?: string | undefined
  /** Version of the shape of `data`, from 1 on; 1 when absent. */
  schemaVersion?: number | undefined
  /** When it happened, by the caller's clock, in milliseconds; now when absent. Years 1970 to 9999. */
  occurredAt?: Date | undefined
  /** What a whole conversation shares, 1–255 UTF-8 bytes. */
  correlationId?: string | undefined
  /** The id of the event or command that caused this one, 1–255 UTF-8 bytes. */
  causationId?: string | undefined
  /** Who did it, 1–255 UTF-8 bytes. */
  createdBy?: string | undefined
  /** Labels (`key:value`) for queries that cross streams, at most 32. */
  tags?: readonly string[] | undefined
}

/** An event as the store holds it. `correlationId`, `causationId` and `createdBy` are absent when not given. */
export interface RecordedEvent<Type extends string = string, Data = JsonValue, Metadata = JsonObject> {
  readonly id: string
  readonly type: Type
  readonly data: Data
  readonly metadata: Metadata
  readonly schemaVersion: number
  readonly occurredAt: Date
  readonly correlationId?: string
  readonly causationId?: string
  readonly createdBy?: string
  readonly tags: readonly string[]
  readonly tenantId: string
  readonly streamId: string
  readonly streamType: string
  /** Number in its stream: 1, 2, 3 … without gaps. */
  readonly version: number
  /** Number in the whole log, strictly increasing over all tenants, gaps allowed. */
  readonly position: number
  /** The database's clock, microseconds cut to milliseconds; never runs backwards within a stream. */
  readonly recordedAt: Date
  /** UTF-8 bytes of the data as canonical JSON. */
  readonly sizeBytes: number
  /** SHA-256, lower-case hex, over the canonical JSON (RFC 8785) of the event; see `checksumOf`. */
  readonly checksum: string
}

/** Names, in the message of the compiler, the member that is no JSON. */
type OnlyJson<Data> = Data extends ReadonlyJsonOf<Data> ? unknown : { data: ReadonlyJsonOf<Data> }

/**
 * Copies an event and fixes its id, so that the very same append can be repeated after a lost answer. The data may be an
 * interface, as long as all of it is JSON.
 *
 * @example
 * ```ts
 * import { newEvent } from '@varve/core'
 *
 * const deposited = newEvent({ type: 'money.deposited', data: { amount: '250.00' } })
 * deposited.id // a UUIDv7
 * ```
 */
export function newEvent<const Type extends string, Data, Metadata = JsonObject>(
  input: NewEvent<Type, Data, Metadata> & OnlyJson<Data>,
): NewEvent<Type, JsonOf<Data>, Metadata> & { id: string } {
  return { ...input, id: input.id ?? newEventId() } as NewEvent<Type, JsonOf<Data>, Metadata> & { id: string }
}

/**
 * A stored event as it can be appended again, with its id: to import, replay or copy it into another store or tenant. For
 * an event that shall be a new one, take the id away.
 *
 * @example
 * ```ts
 * import { toNewEvent, type EventStore } from '@varve/core'
 *
 * export async function copy(from: EventStore, to: EventStore): Promise<void> {
 *   for await (const event of from.readAll()) {
 *     await to.append(event.streamId, [toNewEvent(event)], { streamType: event.streamType })
 *   }
 * }
 * ```
 */
export function toNewEvent<Type extends string, Data, Metadata>(
  event: RecordedEvent<Type, Data, Metadata>,
): NewEvent<Type, Data, Metadata> & { id: string } {
  const { id, type, data, metadata, schemaVersion, occurredAt, tags } = event
  const { correlationId, causationId, createdBy } = event
  return {
    id,
    type,
    data,
    metadata,
    schemaVersion,
    occurredAt,
    tags,
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
    ...(createdBy !== undefined && { createdBy }),
  }
}
