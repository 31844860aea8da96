import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
} from 'node:crypto'
import { randomBytes, sign, timingSafeEqual, verify } from 'node:crypto'

const HMAC_PREFIX = 'whsec_'
const PRIVATE_PREFIX = 'whsk_'
const PUBLIC_PREFIX = 'whpk_'
const MIN_HMAC_BYTES = 24
const MAX_HMAC_BYTES = 64

// what DER puts before the 32 bytes of an Ed25519 key
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** How a signature's text begins: `v1` is HMAC-SHA256, `v1a` is Ed25519. */
export type SignatureVersion = 'v1' | 'v1a'

/** A key as it is written in a configuration, made ready for use. */
export interface SigningKey {
  readonly version: SignatureVersion
  /** In base64, without `version`. @throws TypeError for a public key, which cannot sign. */
  sign(content: Uint8Array): string
  /** Takes the same time whatever the difference. */
  verify(content: Uint8Array, signature: string): boolean
}

/** A new shared secret, `whsec_` and 32 random bytes in base64. */
export function generateSecret(): string {
  return HMAC_PREFIX + randomBytes(32).toString('base64')
}

/** A new pair of Ed25519 keys: the sender keeps `secret` (`whsk_`), receivers get `publicKey` (`whpk_`). */
export function generateKeyPair(): { secret: string; publicKey: string } {
  const pair = generateKeyPairSync('ed25519')
  const seed = pair.privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32)
  const publicBytes = publicBytesOf(seed)
  // seed and public half together, as libsodium has them
  const secret = PRIVATE_PREFIX + Buffer.concat([seed, publicBytes]).toString('base64')
  return { secret, publicKey: PUBLIC_PREFIX + publicBytes.toString('base64') }
}

/** What receivers verify with: the `whpk_` of a `whsk_`, a shared `whsec_` itself. */
export function publicPart(secret: string): string {
  if (!secret.startsWith(PRIVATE_PREFIX)) return secret
  const seed = bytesOf(secret, PRIVATE_PREFIX, [32, 64]).subarray(0, 32)
  return PUBLIC_PREFIX + publicBytesOf(seed).toString('base64')
}

/** @throws TypeError for what is none of `whsec_…`, `whsk_…`, `whpk_…`, or has too few or too many bytes; the text is not repeated. */
export function parseKey(secret: unknown): SigningKey {
  if (typeof secret !== 'string')
    throw new TypeError(`A webhook secret must be a string, is ${typeof secret}.`)
  if (secret.startsWith(HMAC_PREFIX)) return hmacKey(secret)
  if (secret.startsWith(PRIVATE_PREFIX)) return privateKey(secret)
  if (secret.startsWith(PUBLIC_PREFIX)) return publicKey(bytesOf(secret, PUBLIC_PREFIX, [32]))
  throw new TypeError(
    `A webhook secret begins with '${HMAC_PREFIX}', '${PRIVATE_PREFIX}' or '${PUBLIC_PREFIX}'.`,
  )
}

function hmacKey(secret: string): SigningKey {
  const key = bytesOf(secret, HMAC_PREFIX)
  if (key.length < MIN_HMAC_BYTES || key.length > MAX_HMAC_BYTES) {
    throw new TypeError(
      `The secret has ${key.length} bytes; a shared secret has ${MIN_HMAC_BYTES} to ${MAX_HMAC_BYTES}.`,
    )
  }
  // made once: from bytes, it would be made anew for each signature, which costs six times as much as the rest
  const prepared = createSecretKey(key)
  const digest = (content: Uint8Array) => createHmac('sha256', prepared).update(content).digest('base64')
  return {
    version: 'v1',
    sign: digest,
    verify: (content, signature) => equal(digest(content), signature),
  }
}

function privateKey(secret: string): SigningKey {
  const seed = bytesOf(secret, PRIVATE_PREFIX, [32, 64]).subarray(0, 32)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return {
    ...publicKey(publicBytesOf(seed)),
    sign: (content) => sign(null, content, key).toString('base64'),
  }
}

function publicKey(bytes: Uint8Array): SigningKey {
  const key = createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' })
  return {
    version: 'v1a',
    sign: () => {
      throw new TypeError('A public key (whpk_) verifies only; sign with its whsk_ half.')
    },
    verify: (content, signature) => {
      const given = decode(signature)
      return given?.length === 64 && verify(null, content, key, given)
    },
  }
}

function publicBytesOf(seed: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32)
}

function bytesOf(secret: string, prefix: string, lengths?: readonly number[]): Buffer {
  const bytes = decode(secret.slice(prefix.length))
  if (bytes === undefined) throw new TypeError(`What follows '${prefix}' in a webhook secret must be base64.`)
  if (lengths !== undefined && !lengths.includes(bytes.length)) {
    throw new TypeError(
      `A key that begins with '${prefix}' has ${lengths.join(' or ')} bytes, not ${bytes.length}.`,
    )
  }
  return bytes
}

/** Base64, with its padding or without; nothing else, as Buffer would overlook it. */
function decode(text: string): Buffer | undefined {
  const bare = text.replace(/={1,2}$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) return undefined
  if (bare !== text && text.length % 4 !== 0) return undefined
  return Buffer.from(bare, 'base64')
}

/** In a time that does not tell where they differ; that the lengths differ is no secret. */
function equal(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}
