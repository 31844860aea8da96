import { canonicalize } from './canonical.js'
import { InvalidArgumentError, isInvalidEventError } from './errors.js'
import type { EventFilter } from './event-store.js'
import type { JsonObject, JsonValue } from './json.js'
import { optionalDate, optionalName, optionalNames, present, type Given } from './option-values.js'
import { memberPath } from './value-path.js'

const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Checks and copies the filter among the options of a read; what was not given is absent. */
export function resolveFilter(given: Given<EventFilter>): EventFilter {
  return present({
    types: typeFilter(given.types),
    streamTypes: optionalNames(given.streamTypes, 'streamTypes'),
    streamIds: optionalNames(given.streamIds, 'streamIds'),
    tags: optionalNames(given.tags, 'tags'),
    correlationId: optionalName(given.correlationId, 'correlationId'),
    causationId: optionalName(given.causationId, 'causationId'),
    createdBy: optionalName(given.createdBy, 'createdBy'),
    recordedFrom: storable(optionalDate(given.recordedFrom, 'recordedFrom')),
    recordedTo: storable(optionalDate(given.recordedTo, 'recordedTo')),
    metadata: given.metadata === undefined ? undefined : metadataFilter(given.metadata),
  })
}

/** The exact types of a filter, and its prefixes: without the `*`, with the dot. */
export function splitTypes(types: readonly string[]): { exact: string[]; prefixes: string[] } {
  const exact: string[] = []
  const prefixes: string[] = []
  for (const type of types) {
    if (type.endsWith('.*')) prefixes.push(type.slice(0, -1))
    else exact.push(type)
  }
  return { exact, prefixes }
}

function typeFilter(value: unknown): readonly string[] | undefined {
  const names = optionalNames(value, 'types')
  names?.forEach((type, index) => {
    if (type === '*' || type === '.*') {
      throw new InvalidArgumentError(
        `types[${index}]`,
        `'${type}' names no prefix; leave types out to read all of them`,
      )
    }
    if (type.replace(/\.\*$/, '').includes('*')) {
      throw new InvalidArgumentError(
        `types[${index}]`,
        `'${type}' would find nothing: a '*' stands only at the end, behind a dot, as in 'money.*'`,
      )
    }
  })
  return names
}

// recordedAt lies between these, and not every engine can compare with a date beyond them
function storable(date: Date | undefined): Date | undefined {
  return date && new Date(Math.min(Math.max(date.getTime(), 0), LAST_MOMENT))
}

function metadataFilter(value: unknown): JsonObject | undefined {
  const filter = jsonCopy(value)
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) {
    throw new InvalidArgumentError(
      'metadata',
      'must be an object whose leaves are equal to those of the events',
    )
  }
  if (Object.keys(filter).length === 0) return undefined
  refuseWithoutLeaves(filter, 'metadata')
  return filter
}

function jsonCopy(value: unknown): JsonValue {
  try {
    return JSON.parse(canonicalize(value, 'metadata')) as JsonValue
  } catch (error) {
    if (isInvalidEventError(error)) throw new InvalidArgumentError(error.path, error.reason)
    throw error
  }
}

function refuseWithoutLeaves(object: JsonObject, path: string): void {
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== 'object' || value === null) continue
    const at = memberPath(path, key)
    if (Array.isArray(value)) {
      throw new InvalidArgumentError(
        at,
        'must be a string, number, boolean, null or an object of such; is an array',
      )
    }
    if (Object.keys(value).length === 0) {
      throw new InvalidArgumentError(at, 'an empty object has no leaf to compare; leave it out')
    }
    refuseWithoutLeaves(value, at)
  }
}
