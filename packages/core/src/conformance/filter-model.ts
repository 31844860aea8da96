import type { RecordedEvent } from '../event.js'
import type { EventFilter } from '../event-store.js'
import type { JsonValue } from '../json.js'

/** Whether an event passes a filter, as the contract words it; written apart from any store. */
export function matches(event: RecordedEvent, filter: EventFilter): boolean {
  const { types, streamTypes, streamIds, tags, metadata, recordedFrom, recordedTo } = filter
  return (
    (types === undefined || types.some((type) => matchesType(event.type, type))) &&
    (streamTypes === undefined || streamTypes.includes(event.streamType)) &&
    (streamIds === undefined || streamIds.includes(event.streamId)) &&
    (tags === undefined || tags.every((tag) => event.tags.includes(tag))) &&
    (filter.correlationId === undefined || filter.correlationId === event.correlationId) &&
    (filter.causationId === undefined || filter.causationId === event.causationId) &&
    (filter.createdBy === undefined || filter.createdBy === event.createdBy) &&
    (recordedFrom === undefined || event.recordedAt.getTime() >= recordedFrom.getTime()) &&
    (recordedTo === undefined || event.recordedAt.getTime() < recordedTo.getTime()) &&
    (metadata === undefined || contains(event.metadata, metadata))
  )
}

function matchesType(type: string, wanted: string): boolean {
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}

function contains(value: JsonValue | undefined, wanted: JsonValue | undefined): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(wanted).every(
    ([key, leaf]) => Object.hasOwn(value, key) && contains(value[key], leaf),
  )
}
