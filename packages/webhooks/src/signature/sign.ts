import { ID_HEADER, SIGNATURE_HEADER, signedContent, TIMESTAMP_HEADER } from './message.js'
import type { WebhookBody } from './message.js'
import { parseKey } from './secret.js'
import type { SigningKey } from './secret.js'

/** The headers of a signed webhook. */
export interface SignatureHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

export interface SignOptions {
  /** The same for every attempt at one message; visible ASCII without a full stop. */
  readonly id: string
  /** `whsec_…` or `whsk_…`; while keys rotate, all that are live: each gives a signature. */
  readonly secrets: string | readonly string[]
  readonly body: WebhookBody
  /** Of this attempt; now when absent. Cut to the second. */
  readonly timestamp?: Date
}

/**
 * Signs a webhook as Standard Webhooks says. Send exactly the bytes of `body`.
 *
 * @throws TypeError for a secret, an id or a timestamp that cannot be used.
 *
 * @example
 * ```ts
 * import { generateSecret, signWebhook } from '@varve/webhooks/signature'
 *
 * const body = JSON.stringify({ type: 'order.placed', data: { order: 'A-17' } })
 * const headers = signWebhook({ id: 'msg_2f9c', body, secrets: generateSecret() })
 * await fetch('https://example.com/hooks', { method: 'POST', headers: { ...headers }, body })
 * ```
 */
export function signWebhook({ id, secrets, body, timestamp = new Date() }: SignOptions): SignatureHeaders {
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).map(parseKey)
  return signWith(keys, id, Math.floor(timestamp.getTime() / 1000), body)
}

/** As `signWebhook`, with keys that were parsed before. */
export function signWith(
  keys: readonly SigningKey[],
  id: string,
  timestamp: number,
  body: WebhookBody,
): SignatureHeaders {
  if (keys.length === 0) throw new TypeError('A webhook needs at least one secret to be signed with.')
  // a full stop would let two messages share one signed content
  if (!/^[!-\-/-~]{1,255}$/.test(id)) {
    throw new TypeError('The id of a webhook is 1 to 255 visible ASCII characters without a full stop.')
  }
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    throw new TypeError('The timestamp must be a valid date.')
  const content = signedContent(id, timestamp, body)
  return {
    [ID_HEADER]: id,
    [TIMESTAMP_HEADER]: String(timestamp),
    [SIGNATURE_HEADER]: keys.map((key) => `${key.version},${key.sign(content)}`).join(' '),
  }
}
