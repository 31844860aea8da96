import type { RecordedEvent } from '@varve/core'

/** Which of `shards` an event belongs to: the same for all events of a stream, in every process and version of varve. */
export function shardOf(
  { tenantId, streamId }: Pick<RecordedEvent, 'tenantId' | 'streamId'>,
  shards: number,
): number {
  if (shards === 1) return 0
  // FNV-1a over UTF-16 code units, then mixed, as its low bits alone are poor
  let hash = 0x811c9dc5
  for (const text of [tenantId, '\0', streamId]) {
    for (let index = 0; index < text.length; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % shards
}
