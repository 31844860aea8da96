import { SerializationError } from '@varve/core'
import type { JsonObject, RecordedEvent, StreamInfo } from '@varve/core'
import type { Decoder } from './dialect.js'
import type { SqlRow } from './driver.js'

/** The columns of an event, in the order in which `eventDecoder` takes them. */
export const eventColumnNames = [
  'position',
  'tenant_id',
  'stream_id',
  'stream_type',
  'version',
  'event_id',
  'event_type',
  'schema_version',
  'event_data',
  'metadata',
  'tags',
  'correlation_id',
  'causation_id',
  'created_by',
  'occurred_at',
  'created_at',
  'event_size_bytes',
  'checksum',
] as const

/** The columns of a stream, in the order in which `streamDecoder` takes them. */
export const streamColumnNames = [
  'tenant_id',
  'stream_id',
  'stream_type',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Makes the function that turns a row of `eventColumnNames` into an event. */
export function eventDecoder(decode: Decoder): (row: SqlRow) => RecordedEvent {
  return (row) => {
    const position = decode.number(row[0])
    try {
      const event: Mutable<RecordedEvent> = {
        id: row[5] as string,
        type: row[6] as string,
        data: decode.json(row[8]),
        metadata: decode.json(row[9]) as JsonObject,
        schemaVersion: decode.number(row[7]),
        occurredAt: decode.time(row[14]),
        tags: decode.tags(row[10]),
        tenantId: row[1] as string,
        streamId: row[2] as string,
        streamType: row[3] as string,
        version: decode.number(row[4]),
        position,
        recordedAt: decode.time(row[15]),
        sizeBytes: decode.number(row[16]),
        checksum: decode.checksum(row[17]),
      }
      if (row[11] !== null) event.correlationId = row[11] as string
      if (row[12] !== null) event.causationId = row[12] as string
      if (row[13] !== null) event.createdBy = row[13] as string
      return event
    } catch (error) {
      throw new SerializationError(position, error instanceof Error ? error.message : String(error), error)
    }
  }
}

/** Makes the function that turns a row of `streamColumnNames` into a stream's description. */
export function streamDecoder(decode: Decoder): (row: SqlRow) => StreamInfo {
  return (row) => {
    const stream: Mutable<StreamInfo> = {
      tenantId: row[0] as string,
      streamId: row[1] as string,
      streamType: row[2] as string,
      version: decode.number(row[3]),
      createdAt: decode.time(row[4]),
      updatedAt: decode.time(row[5]),
    }
    if (row[6] !== null) stream.archivedAt = decode.time(row[6])
    return stream
  }
}
