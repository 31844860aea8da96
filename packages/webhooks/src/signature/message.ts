/** The names of the headers, as Standard Webhooks has them. */
export const ID_HEADER = 'webhook-id'
export const TIMESTAMP_HEADER = 'webhook-timestamp'
export const SIGNATURE_HEADER = 'webhook-signature'
/** How many webhooks in a row have led to this one; ours, not of the standard. */
export const HOPS_HEADER = 'webhook-hops'

/** A body as it goes over the wire: text is taken as UTF-8, bytes as they are. */
export type WebhookBody = string | Uint8Array

/** What is signed: `id.timestamp.body`, the body byte by byte. */
export function signedContent(id: string, timestamp: number, body: WebhookBody): Buffer {
  const head = `${id}.${timestamp}.`
  if (typeof body === 'string') return Buffer.from(head + body)
  return Buffer.concat([Buffer.from(head), body])
}
