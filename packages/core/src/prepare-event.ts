import { types } from 'node:util'
import { canonicalize } from './canonical.js'
import { describe } from './describe.js'
import { InvalidEventError } from './errors.js'
import { newEventId } from './event-id.js'
import type { NewEvent } from './event.js'
import { refuseUnknown } from './known-names.js'
import { nameProblem } from './names.js'
import { memberPath } from './value-path.js'

/** An event that has passed all limits, copied, with every default filled in except what only the database knows. */
export interface PreparedEvent {
  /** Lower-case. */
  readonly id: string
  /** Made here, so that it cannot be stored already on the first try. */
  readonly generatedId: boolean
  readonly type: string
  /** Canonical JSON text. */
  readonly data: string
  /** Canonical JSON text. */
  readonly metadata: string
  readonly schemaVersion: number
  readonly occurredAt: Date
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly createdBy: string | undefined
  readonly tags: readonly string[]
  /** UTF-8 bytes of `data`. */
  readonly sizeBytes: number
  /** UTF-8 bytes of `data` and `metadata`. */
  readonly bytes: number
}

const MAX_TAGS = 32
const MAX_SCHEMA_VERSION = 2_147_483_647
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const noTags: readonly string[] = Object.freeze([])

const eventNames = {
  type: true,
  data: true,
  metadata: true,
  id: true,
  schemaVersion: true,
  occurredAt: true,
  correlationId: true,
  causationId: true,
  createdBy: true,
  tags: true,
} satisfies Record<keyof NewEvent, true>
const knownNames: ReadonlySet<string> = new Set(Object.keys(eventNames))

/**
 * Checks and copies one event; every property is read exactly once.
 *
 * @param now milliseconds since 1970, for events that do not say when they happened
 */
export function prepareEvent(
  input: unknown,
  path: string,
  maxEventBytes: number,
  now: number,
): PreparedEvent {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidEventError(path, `must be an event object, is ${describe(input)}`)
  }
  refuseUnknown(
    input,
    knownNames,
    (name, hint) => new InvalidEventError(memberPath(path, name), `no property of an event; ${hint}`),
  )
  const event: { readonly [name in keyof NewEvent]?: unknown } = input
  const { id, occurredAt, schemaVersion, tags, metadata } = event
  const limits = { maxBytes: maxEventBytes, maxBytesPath: path }

  const data = canonicalize(event.data, `${path}.data`, limits)
  const metadataText = metadata === undefined ? '{}' : canonicalize(metadata, `${path}.metadata`, limits)
  if (!metadataText.startsWith('{')) {
    throw new InvalidEventError(`${path}.metadata`, `must be an object, is ${describe(metadata)}`)
  }
  const sizeBytes = Buffer.byteLength(data)
  const bytes = sizeBytes + Buffer.byteLength(metadataText)
  if (bytes > maxEventBytes) {
    throw new InvalidEventError(
      path,
      `larger than ${maxEventBytes} bytes as JSON: data and metadata have ${bytes}`,
    )
  }
  return {
    id: id === undefined ? newEventId() : checkedId(id, path),
    generatedId: id === undefined,
    type: checkedName(event.type, path, 'type'),
    data,
    metadata: metadataText,
    schemaVersion: schemaVersion === undefined ? 1 : checkedSchemaVersion(schemaVersion, path),
    occurredAt: occurredAt === undefined ? new Date(now) : checkedDate(occurredAt, path),
    correlationId: optionalName(event.correlationId, path, 'correlationId'),
    causationId: optionalName(event.causationId, path, 'causationId'),
    createdBy: optionalName(event.createdBy, path, 'createdBy'),
    tags: tags === undefined ? noTags : checkedTags(tags, path),
    sizeBytes,
    bytes,
  }
}

/** @throws InvalidEventError at `path.name` when the value is no name. */
export function checkedName(value: unknown, path: string, name: string): string {
  const problem = nameProblem(value)
  if (problem !== undefined) throw new InvalidEventError(path === '' ? name : `${path}.${name}`, problem)
  return value as string
}

function optionalName(value: unknown, path: string, name: string): string | undefined {
  return value === undefined ? undefined : checkedName(value, path, name)
}

function checkedId(id: unknown, path: string): string {
  if (typeof id !== 'string' || !uuid.test(id)) {
    throw new InvalidEventError(`${path}.id`, `must be a UUID, is ${describe(id)}`)
  }
  return id.toLowerCase()
}

function checkedSchemaVersion(version: unknown, path: string): number {
  if (
    typeof version !== 'number' ||
    !Number.isInteger(version) ||
    version < 1 ||
    version > MAX_SCHEMA_VERSION
  ) {
    throw new InvalidEventError(
      `${path}.schemaVersion`,
      `must be a whole number from 1 to ${MAX_SCHEMA_VERSION}, is ${describe(version)}`,
    )
  }
  return version
}

function checkedDate(date: unknown, path: string): Date {
  if (!types.isDate(date)) {
    throw new InvalidEventError(`${path}.occurredAt`, `must be a Date, is ${describe(date)}`)
  }
  // not the date's own method: it may be overwritten, and may belong to another realm
  const time = Date.prototype.getTime.call(date)
  if (Number.isNaN(time))
    throw new InvalidEventError(`${path}.occurredAt`, 'must be a valid Date, is an Invalid Date')
  if (time < 0 || time > LAST_MOMENT) {
    throw new InvalidEventError(
      `${path}.occurredAt`,
      `must lie in the years 1970 to 9999, is ${new Date(time).toISOString()}`,
    )
  }
  return new Date(time)
}

function checkedTags(tags: unknown, path: string): readonly string[] {
  if (!Array.isArray(tags))
    throw new InvalidEventError(`${path}.tags`, `must be an array, is ${describe(tags)}`)
  const length = tags.length
  if (length > MAX_TAGS) {
    throw new InvalidEventError(`${path}.tags`, `must be at most ${MAX_TAGS} tags, are ${length}`)
  }
  const copy: string[] = []
  for (let index = 0; index < length; index++) {
    copy.push(checkedName(tags[index], path, `tags[${index}]`))
  }
  return copy
}
