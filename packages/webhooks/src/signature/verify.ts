import { HOPS_HEADER, ID_HEADER, SIGNATURE_HEADER, signedContent, TIMESTAMP_HEADER } from './message.js'
import type { WebhookBody } from './message.js'
import { parseKey } from './secret.js'

/** As a `Headers`, or as Node has them: names in any case. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

export interface VerifyOptions {
  readonly headers: HeadersLike
  /** The body's raw bytes, before any parsing; text only when it was valid UTF-8 to begin with. */
  readonly body: WebhookBody
  /** `whsec_…` or `whpk_…`; while keys rotate, all that are accepted. */
  readonly secrets: string | readonly string[]
  /** How far the timestamp may be from now, either way; 300 when absent. */
  readonly toleranceSeconds?: number
  /** By whose clock; the machine's when absent. */
  readonly now?: Date
}

export interface VerifiedWebhook {
  /** The same for every attempt: deal with each id once. */
  readonly id: string
  /** When this attempt was sent. */
  readonly timestamp: Date
}

/** Why a webhook was refused. */
export type VerificationReason = 'missing-header' | 'bad-timestamp' | 'too-old' | 'too-new' | 'no-match'

/** The webhook is not from whom it says, or not fresh. Answer with 400 or 401 and do nothing. */
export class WebhookVerificationError extends Error {
  readonly code = 'VARVE_WEBHOOK_VERIFICATION'
  readonly reason: VerificationReason

  constructor(reason: VerificationReason, message: string) {
    super(message)
    this.name = 'WebhookVerificationError'
    this.reason = reason
  }
}

// more than anybody rotates at once; each one costs a comparison
const MAX_SIGNATURES = 32

/**
 * Checks that a request was signed with one of the secrets, and lately. For receivers.
 *
 * @throws WebhookVerificationError when it was not; TypeError for secrets that are none.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { buffer } from 'node:stream/consumers'
 * import { verifyWebhook } from '@varve/webhooks/signature'
 *
 * const secrets = process.env['WEBHOOK_SECRET'] ?? ''
 * createServer(async (request, response) => {
 *   const body = await buffer(request)
 *   try {
 *     const { id } = verifyWebhook({ headers: request.headers, body, secrets })
 *     console.log(id, JSON.parse(body.toString()))
 *     response.writeHead(204).end()
 *   } catch {
 *     response.writeHead(400).end()
 *   }
 * })
 * ```
 */
export function verifyWebhook(options: VerifyOptions): VerifiedWebhook {
  const { headers, body, secrets, toleranceSeconds = 300, now = new Date() } = options
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).map(parseKey)
  if (keys.length === 0) throw new TypeError('A webhook cannot be verified without a secret.')
  const id = required(headers, ID_HEADER)
  const seconds = secondsOf(required(headers, TIMESTAMP_HEADER))
  const given = required(headers, SIGNATURE_HEADER).split(' ').slice(0, MAX_SIGNATURES)

  const age = Math.floor(now.getTime() / 1000) - seconds
  if (!(age <= toleranceSeconds)) throw new WebhookVerificationError('too-old', 'The webhook is too old.')
  if (!(age >= -toleranceSeconds))
    throw new WebhookVerificationError('too-new', 'The webhook is from the future.')

  const content = signedContent(id, seconds, body)
  let matches = false
  for (const key of keys) {
    for (const entry of given) {
      const comma = entry.indexOf(',')
      // all of them, also after a match: the time tells nothing
      if (entry.slice(0, comma) === key.version && key.verify(content, entry.slice(comma + 1))) matches = true
    }
  }
  if (!matches) throw new WebhookVerificationError('no-match', 'No signature of the webhook matches.')
  return { id, timestamp: new Date(seconds * 1000) }
}

/**
 * For an application that appends events when a webhook comes in: the metadata that counts how many webhooks in a row have
 * led to them, so that a circle of endpoints ends. Put it among the metadata of those events.
 */
export function hopMetadata(headers: HeadersLike): { webhookHops: number } {
  const text = headerOf(headers, HOPS_HEADER)
  return { webhookHops: text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : 0 }
}

/** Digits only: parseInt would take `1700000000abc` for a number. */
function secondsOf(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new WebhookVerificationError(
    'bad-timestamp',
    `The header ${TIMESTAMP_HEADER} is not a number of seconds.`,
  )
}

function required(headers: HeadersLike, name: string): string {
  const value = headerOf(headers, name)
  if (value !== undefined && value !== '') return value
  throw new WebhookVerificationError(
    'missing-header',
    `The header ${name} is missing, or there more than once.`,
  )
}

function headerOf(headers: HeadersLike, name: string): string | undefined {
  if (typeof headers.get === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined
  const values = Object.entries(headers).flatMap(([key, value]) =>
    key.toLowerCase() === name ? [value] : [],
  )
  const [value] = values.flat() as (string | undefined)[]
  return values.flat().length === 1 ? value : undefined
}
