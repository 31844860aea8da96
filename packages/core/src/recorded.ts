import { checksumOfPrepared } from './checksum.js'
import type { RecordedEvent } from './event.js'
import type { JsonObject, JsonValue } from './json.js'
import type { PreparedWrite } from './prepare.js'

/** What only the database knows of an event. */
export interface Assigned {
  readonly version: number
  readonly position: number
  readonly recordedAt: Date
  readonly streamType: string
  /** When whoever stored the event has computed it already. */
  readonly checksum?: string | undefined
}

/**
 * An event of a write as the store holds it, once the database has given it its place. Shares nothing with the caller's
 * objects or the prepared ones.
 *
 * @param index of the event in the write, from 0
 */
export function toRecorded(write: PreparedWrite, index: number, assigned: Assigned): RecordedEvent {
  const event = write.events[index]
  if (event === undefined)
    throw new RangeError(`the write has ${write.events.length} events, there is no [${index}]`)
  const { version, position, streamType } = assigned
  const place = { tenantId: write.tenantId, streamId: write.streamId, streamType, version }
  return {
    id: event.id,
    type: event.type,
    // parsed from the stored text, so that the result is exactly what a later read gives
    data: JSON.parse(event.data) as JsonValue,
    metadata: JSON.parse(event.metadata) as JsonObject,
    schemaVersion: event.schemaVersion,
    occurredAt: new Date(event.occurredAt),
    ...(event.correlationId !== undefined && { correlationId: event.correlationId }),
    ...(event.causationId !== undefined && { causationId: event.causationId }),
    ...(event.createdBy !== undefined && { createdBy: event.createdBy }),
    tags: [...event.tags],
    ...place,
    position,
    recordedAt: new Date(assigned.recordedAt),
    sizeBytes: event.sizeBytes,
    checksum: assigned.checksum ?? checksumOfPrepared(event, place),
  }
}
