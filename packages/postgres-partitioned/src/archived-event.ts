import { checksumOf, ChecksumMismatchError, SerializationError } from '@varve/core'
import type { JsonObject, JsonValue } from '@varve/core'

/** A row of `events` as an archive writes it, by the names of its columns. */
interface ArchivedEvent {
  readonly position: number
  readonly tenant_id: string
  readonly stream_id: string
  readonly stream_type: string
  readonly version: number
  readonly event_id: string
  readonly event_type: string
  readonly schema_version: number
  readonly event_data: JsonValue
  readonly metadata: JsonObject
  readonly tags: string[]
  readonly correlation_id: string | null
  readonly causation_id: string | null
  readonly created_by: string | null
  readonly occurred_at: string
  readonly checksum: string
}

/** @throws SerializationError, ChecksumMismatchError */
export function checkLine(line: string): void {
  let position = 0
  let checksum: string
  let row: ArchivedEvent
  try {
    row = JSON.parse(line) as ArchivedEvent
    position = row.position
    checksum = checksumOf({
      id: row.event_id,
      tenantId: row.tenant_id,
      streamId: row.stream_id,
      streamType: row.stream_type,
      version: row.version,
      type: row.event_type,
      schemaVersion: row.schema_version,
      data: row.event_data,
      metadata: row.metadata,
      tags: row.tags,
      occurredAt: new Date(row.occurred_at),
      ...(row.correlation_id !== null && { correlationId: row.correlation_id }),
      ...(row.causation_id !== null && { causationId: row.causation_id }),
      ...(row.created_by !== null && { createdBy: row.created_by }),
    })
  } catch (error) {
    throw new SerializationError(position, `a line of the archive is no event (${String(error)})`, error)
  }
  if (row.checksum !== `\\x${checksum}`) {
    throw new ChecksumMismatchError(
      position,
      `in the archive it is ${row.checksum.slice(2)}, its content gives ${checksum}`,
    )
  }
}
