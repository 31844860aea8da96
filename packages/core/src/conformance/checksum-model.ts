import { createHash } from 'node:crypto'
import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'

/** The checksum that section 8 of the contract asks for, worked out apart from any store. */
export function expectedChecksum(event: RecordedEvent): string {
  const { id, tenantId, streamId, streamType, version, type, schemaVersion, data, metadata, tags } = event
  const covered: JsonValue = {
    id,
    tenantId,
    streamId,
    streamType,
    version,
    type,
    schemaVersion,
    data,
    metadata,
    tags: [...tags],
    occurredAt: event.occurredAt.toISOString(),
    ...(event.correlationId !== undefined && { correlationId: event.correlationId }),
    ...(event.causationId !== undefined && { causationId: event.causationId }),
    ...(event.createdBy !== undefined && { createdBy: event.createdBy }),
  }
  return createHash('sha256').update(canonical(covered)).digest('hex')
}

// RFC 8785 is what JSON.stringify writes, with the keys in the order of their UTF-16 code units
function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`)
  return `{${members.join(',')}}`
}
