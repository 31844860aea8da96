import type { RecordedEvent } from '@varve/core'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import { publicEndpoint } from '../endpoints/endpoint-rows.js'
import type { ResolvedOptions } from '../options.js'

export interface Payload {
  readonly body: Buffer
  readonly contentType: string
  /** Of the request that is to be made: how many webhooks in a row it is. */
  readonly hops: number
}

/** What is to be sent for an event, or why nothing can be. Never throws. */
export function payloadOf(
  event: RecordedEvent,
  endpoint: StoredEndpoint,
  options: Pick<ResolvedOptions, 'payload' | 'maxPayloadBytes' | 'maxHops'>,
): Payload | { readonly problem: string } {
  const before = event.metadata['webhookHops']
  const hops = (typeof before === 'number' && Number.isSafeInteger(before) && before > 0 ? before : 0) + 1
  if (hops > options.maxHops) {
    return {
      problem: `${options.maxHops} webhooks in a row have led to this event: it is not sent on (maxHops)`,
    }
  }
  let made
  try {
    made = options.payload?.(event, publicEndpoint(endpoint)) ?? {
      body: JSON.stringify(defaultPayload(event)),
    }
  } catch (error) {
    // the message may hold whatever the event holds
    return {
      problem: `the payload could not be made (${error instanceof Error ? error.name : typeof error})`,
    }
  }
  const { body, contentType = 'application/json' } = made
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return { problem: 'the payload could not be made (its body is neither text nor bytes)' }
  }
  if (!/^[\x20-\x7e]{1,200}$/.test(contentType))
    return { problem: 'the payload could not be made (its content type is none)' }
  const bytes = Buffer.from(body as string)
  if (bytes.length > options.maxPayloadBytes) {
    return {
      problem: `the payload is too large: ${bytes.length} bytes of at most ${options.maxPayloadBytes} (maxPayloadBytes)`,
    }
  }
  return { body: bytes, contentType, hops }
}

/** As Standard Webhooks has it, type, timestamp and data, and where the event stands. Metadata is the application's own. */
function defaultPayload(event: RecordedEvent): object {
  return {
    id: event.id,
    type: event.type,
    timestamp: event.occurredAt.toISOString(),
    data: event.data,
    tenantId: event.tenantId,
    streamId: event.streamId,
    streamType: event.streamType,
    version: event.version,
    position: event.position,
    schemaVersion: event.schemaVersion,
    ...(event.correlationId !== undefined && { correlationId: event.correlationId }),
    ...(event.causationId !== undefined && { causationId: event.causationId }),
  }
}
