import { copyOptions, InvalidArgumentError, namesOf, optionalFunction, wholeNumber } from '@varve/core'
import type { RecordedEvent } from '@varve/core'
import type { ResolvedAddress } from './guard/guard.js'
import type { Endpoint } from './endpoints/endpoint.js'
import { DAY } from './endpoints/retry-policy.js'
import type { EncryptionKey } from './secrets/cipher.js'

/** What is sent for an event: text or bytes, and which kind; `application/json` when nothing is said. */
export interface WebhookPayload {
  readonly body: string | Uint8Array
  readonly contentType?: string
}

/** Something that needs somebody's eye. Never holds a secret. */
export interface WebhookAlarm {
  /**
   * `key`: secrets cannot be read, jobs wait; `database`: it does not answer, the worker tries again; `history`: an attempt
   * counted, but could not be recorded; `disabled`: an endpoint was disabled for failing; `fan-out`: events are not being
   * turned into jobs.
   */
  readonly kind: 'key' | 'database' | 'history' | 'disabled' | 'fan-out'
  readonly endpointId?: string
  readonly message: string
}

export interface WebhookOptions {
  /** At least one; the first one encrypts, all of them decrypt. */
  encryptionKeys: readonly EncryptionKey[]
  /** Of a whole attempt, for endpoints that do not say; 15,000 when absent. */
  timeoutMs?: number | undefined
  /** How long a job is a worker's that was not heard of again; must be longer than any timeout. 60,000 when absent. */
  leaseMs?: number | undefined
  /** Requests at a time, of one worker; 64 when absent. */
  concurrency?: number | undefined
  /** How long a worker that found nothing waits before it looks again, when nothing wakes it; 500 when absent. */
  pollIntervalMs?: number | undefined
  /** Networks that may be sent to although they are not public. */
  allowNetworks?: readonly string[] | undefined
  /** All addresses of a name; the system's resolver when absent. */
  resolve?: ((hostname: string) => Promise<readonly ResolvedAddress[]>) | undefined
  /** Certificate authorities, in PEM, instead of the system's. */
  ca?: string | readonly string[] | undefined
  /** Of an answer's body, what is read and kept; 4,096 when absent. */
  maxResponseBytes?: number | undefined
  /** Of what is sent; 1 MiB and a half when absent. */
  maxPayloadBytes?: number | undefined
  /** Makes what is sent; the same bytes each time. The event in JSON, without its metadata, when absent. */
  payload?: ((event: RecordedEvent, endpoint: Endpoint) => WebhookPayload) | undefined
  /** After how many webhooks in a row an event is not sent on; see `hopMetadata`. 8 when absent. */
  maxHops?: number | undefined
  /** An endpoint that fails, and only fails, for so long is disabled; five days when absent, 0 is never. */
  disableAfterMs?: number | undefined
  /** Attempts, and jobs that are done, are deleted when they are so old; 30 days when absent, 0 is never. */
  historyMs?: number | undefined
  /** After so many failures in a row an endpoint is left alone for a while; 5 when absent. */
  breakerFailures?: number | undefined
  /** For how long; 60,000 when absent. Then one request at a time finds out. */
  breakerCooldownMs?: number | undefined
  onAlarm?: ((alarm: WebhookAlarm) => void) | undefined
}

const names = namesOf<WebhookOptions>({
  encryptionKeys: true,
  timeoutMs: true,
  leaseMs: true,
  concurrency: true,
  pollIntervalMs: true,
  allowNetworks: true,
  resolve: true,
  ca: true,
  maxResponseBytes: true,
  maxPayloadBytes: true,
  payload: true,
  maxHops: true,
  disableAfterMs: true,
  historyMs: true,
  breakerFailures: true,
  breakerCooldownMs: true,
  onAlarm: true,
})

const defaults = {
  timeoutMs: 15_000,
  leaseMs: 60_000,
  concurrency: 64,
  pollIntervalMs: 500,
  maxResponseBytes: 4_096,
  maxPayloadBytes: 1_572_864,
  maxHops: 8,
  disableAfterMs: 5 * DAY,
  historyMs: 30 * DAY,
  breakerFailures: 5,
  breakerCooldownMs: 60_000,
} as const satisfies Partial<WebhookOptions>

/** What an answer needs to get from the wire into the database before its lease ends. */
export const LEASE_MARGIN_MS = 1_000

export type ResolvedOptions = Readonly<
  Record<keyof typeof defaults, number> &
    Pick<WebhookOptions, 'encryptionKeys' | 'allowNetworks' | 'resolve' | 'ca' | 'payload'>
> & { readonly onAlarm: (alarm: WebhookAlarm) => void }

/** @throws InvalidArgumentError */
export function resolveOptions(options: WebhookOptions): ResolvedOptions {
  const given = copyOptions<WebhookOptions>(options, names)
  const number = (name: keyof typeof defaults, min: number, max = 2_147_483_647) =>
    wholeNumber(given[name], name, defaults[name], { min, max })
  const onAlarm = optionalFunction(given.onAlarm, 'onAlarm') as WebhookOptions['onAlarm']
  const { encryptionKeys } = given
  if (!Array.isArray(encryptionKeys)) {
    throw new InvalidArgumentError(
      'encryptionKeys',
      'must be an array of { id, key }; the first one encrypts',
    )
  }
  const resolved = {
    encryptionKeys: encryptionKeys as readonly EncryptionKey[],
    timeoutMs: number('timeoutMs', 1),
    leaseMs: number('leaseMs', 1),
    concurrency: number('concurrency', 1, 10_000),
    pollIntervalMs: number('pollIntervalMs', 10),
    maxResponseBytes: number('maxResponseBytes', 0, 1_048_576),
    maxPayloadBytes: number('maxPayloadBytes', 1),
    maxHops: number('maxHops', 1, 1_000),
    disableAfterMs: number('disableAfterMs', 0, Number.MAX_SAFE_INTEGER),
    historyMs: number('historyMs', 0, Number.MAX_SAFE_INTEGER),
    breakerFailures: number('breakerFailures', 1),
    breakerCooldownMs: number('breakerCooldownMs', 1),
    allowNetworks: given.allowNetworks as readonly string[] | undefined,
    resolve: optionalFunction(given.resolve, 'resolve') as WebhookOptions['resolve'],
    ca: given.ca as WebhookOptions['ca'],
    payload: optionalFunction(given.payload, 'payload') as WebhookOptions['payload'],
    onAlarm: (alarm: WebhookAlarm) => {
      try {
        onAlarm?.(alarm)
      } catch {
        // an alarm that fails must not stop deliveries
      }
    },
  }
  if (resolved.leaseMs < resolved.timeoutMs + LEASE_MARGIN_MS) {
    throw new InvalidArgumentError(
      'leaseMs',
      `must be at least ${LEASE_MARGIN_MS} ms longer than timeoutMs (${resolved.timeoutMs}): a job would be sent again while its ` +
        `first request is still on the wire; is ${resolved.leaseMs}`,
    )
  }
  return Object.freeze(resolved)
}
