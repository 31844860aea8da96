import { hash } from 'node:crypto'
import { canonicalize } from './canonical.js'
import type { RecordedEvent } from './event.js'
import type { PreparedEvent } from './prepare-event.js'

/** The canonical text of an event without what only the database knows: its stream's type and its version. */
export interface CanonicalParts {
  readonly pre: string
  readonly post: string
  readonly tail: string
}

/** What a checksum covers. */
export type ChecksummedEvent = Omit<
  RecordedEvent<string, unknown, unknown>,
  'checksum' | 'position' | 'recordedAt' | 'sizeBytes'
>

type Labels = Pick<
  PreparedEvent,
  'type' | 'schemaVersion' | 'occurredAt' | 'correlationId' | 'causationId' | 'createdBy' | 'tags'
>

/**
 * The pieces from which `canonicalText`, or a statement in SQL, puts together what the checksum is taken of:
 * `pre + data + ',"id":"' + id + '","metadata":' + metadata + post + JSON.stringify(streamType) + tail + version + '}'`.
 */
export function canonicalParts(event: Labels, tenantId: string, streamId: string): CanonicalParts {
  // the keys stand in the order of RFC 8785; names hold no lone surrogates, so JSON.stringify writes them as it demands
  let pre = '{'
  if (event.causationId !== undefined) pre += `"causationId":${JSON.stringify(event.causationId)},`
  if (event.correlationId !== undefined) pre += `"correlationId":${JSON.stringify(event.correlationId)},`
  if (event.createdBy !== undefined) pre += `"createdBy":${JSON.stringify(event.createdBy)},`
  pre += '"data":'
  return {
    pre,
    post:
      `,"occurredAt":"${event.occurredAt.toISOString()}","schemaVersion":${event.schemaVersion}` +
      `,"streamId":${JSON.stringify(streamId)},"streamType":`,
    tail:
      `,"tags":${event.tags.length === 0 ? '[]' : JSON.stringify(event.tags)}` +
      `,"tenantId":${JSON.stringify(tenantId)},"type":${JSON.stringify(event.type)},"version":`,
  }
}

/** SHA-256, lower-case hex, of a prepared event that was given its place in a stream. */
export function checksumOfPrepared(
  event: PreparedEvent,
  place: { tenantId: string; streamId: string; streamType: string; version: number },
): string {
  const { pre, post, tail } = canonicalParts(event, place.tenantId, place.streamId)
  return hash(
    'sha256',
    `${pre}${event.data},"id":"${event.id}","metadata":${event.metadata}${post}` +
      `${JSON.stringify(place.streamType)}${tail}${place.version}}`,
  )
}

/**
 * The checksum that an event ought to have: SHA-256, lower-case hex, over the canonical JSON (RFC 8785) of its id,
 * tenantId, streamId, streamType, version, type, schemaVersion, data, metadata, occurredAt (ISO 8601, milliseconds, `Z`),
 * tags, and of correlationId, causationId and createdBy where present. Position and recordedAt are not covered.
 *
 * @throws InvalidEventError when the data or metadata hold what is no JSON.
 *
 * @example
 * ```ts
 * import { checksumOf, type RecordedEvent } from '@varve/core'
 *
 * export function isIntact(event: RecordedEvent): boolean {
 *   return checksumOf(event) === event.checksum
 * }
 * ```
 */
export function checksumOf(event: ChecksummedEvent): string {
  const covered = {
    id: event.id,
    tenantId: event.tenantId,
    streamId: event.streamId,
    streamType: event.streamType,
    version: event.version,
    type: event.type,
    schemaVersion: event.schemaVersion,
    data: event.data,
    metadata: event.metadata,
    occurredAt: event.occurredAt.toISOString(),
    tags: event.tags,
    ...(event.correlationId !== undefined && { correlationId: event.correlationId }),
    ...(event.causationId !== undefined && { causationId: event.causationId }),
    ...(event.createdBy !== undefined && { createdBy: event.createdBy }),
  }
  // wider limits than an append's: what was tampered with must give another checksum, not an error about its size
  return hash('sha256', canonicalize(covered, '', { maxDepth: 1000, maxKeyBytes: Infinity }))
}
