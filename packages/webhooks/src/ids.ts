import { createHash } from 'node:crypto'
import { newEvent } from '@varve/core'

/** A new UUIDv7: rows land side by side in the index. */
export function newId(): string {
  return newEvent({ type: 'id', data: null }).id
}

/** An id before all that `newId` makes from a time on: bounds a scan without a further index. */
export function idBefore(time: number): string {
  const hex = Math.max(0, Math.floor(time)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}

/** What a job's `webhook-id` and lane are made of. */
export interface MessageKey {
  readonly endpointId: string
  readonly tenantId: string
  readonly eventId: string
  readonly generation: number
}

/** The `webhook-id` of a job: the same for every attempt, whoever makes it. */
export function messageId({ endpointId, tenantId, eventId, generation }: MessageKey): string {
  return `msg_${digest([endpointId, tenantId, eventId, generation])}`
}

/** Jobs of one stream share it. */
export function laneOf(tenantId: string, streamId: string): string {
  return digest([tenantId, streamId])
}

function digest(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 27)
}
