// for receivers: nothing here knows of a database
export { generateKeyPair, generateSecret, publicPart } from './secret.js'
export { signWebhook } from './sign.js'
export type { SignatureHeaders, SignOptions } from './sign.js'
export { hopMetadata, verifyWebhook, WebhookVerificationError } from './verify.js'
export type { HeadersLike, VerificationReason, VerifiedWebhook, VerifyOptions } from './verify.js'
export type { WebhookBody } from './message.js'
