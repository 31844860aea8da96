import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { InvalidArgumentError } from '@varve/core'

/** A key that secrets are encrypted with at rest. */
export interface EncryptionKey {
  /** Stands, in the clear, in front of what was encrypted with it: 1 to 32 letters, digits, `_` and `-`. */
  readonly id: string
  /** 32 bytes; as text in base64 or hex. */
  readonly key: Uint8Array | string
}

/** What was encrypted cannot be read with the keys there are. Says which key is meant, never what is encrypted. */
export class SecretUnreadableError extends Error {
  readonly code = 'VARVE_WEBHOOK_SECRET'

  constructor(message: string) {
    super(message)
    this.name = 'SecretUnreadableError'
  }
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Whose the value of a header is: it opens as that header only, never as the secret that signs. */
export function headerOwner(endpointId: string, name: string): string {
  return `${endpointId}, header ${name}`
}

/** Encrypts with the first key, decrypts with any of them. */
export class Cipher {
  readonly #keys = new Map<string, Uint8Array>()
  readonly #current: string

  /** @throws InvalidArgumentError for no key, a key of another size, or an id that is used twice. */
  constructor(keys: readonly EncryptionKey[]) {
    keys.forEach(({ id, key }, index) => {
      const argument = `encryptionKeys[${index}]`
      if (typeof id !== 'string' || !/^[\w-]{1,32}$/.test(id)) {
        throw new InvalidArgumentError(`${argument}.id`, "must be 1 to 32 letters, digits, '_' and '-'")
      }
      if (this.#keys.has(id))
        throw new InvalidArgumentError(`${argument}.id`, `'${id}' is the id of another key, too`)
      this.#keys.set(id, keyBytes(key, `${argument}.key`))
    })
    const [first] = keys
    if (first === undefined) {
      throw new InvalidArgumentError(
        'encryptionKeys',
        'must hold at least one key { id, key }; the first one encrypts',
      )
    }
    this.#current = first.id
  }

  /** `keyId:base64`; can be read for the same `owner` only. */
  encrypt(text: string, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#keyOf(this.#current), nonce)
    cipher.setAAD(Buffer.from(owner))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${this.#current}:${sealed.toString('base64')}`
  }

  /** @throws SecretUnreadableError for a missing key, another owner, or what was changed. */
  decrypt(sealed: string, owner: string): string {
    const [id = '', base64 = ''] = sealed.split(':', 2)
    const key = this.#keyOf(id)
    const bytes = Buffer.from(base64, 'base64')
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
        // a shorter one, easier to guess, would be taken as well
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(owner))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      const body = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
      return Buffer.concat([body, decipher.final()]).toString('utf8')
    } catch {
      throw new SecretUnreadableError(
        `A secret of endpoint ${owner} does not open with encryption key '${id}': it is another key of that name, or the row was changed.`,
      )
    }
  }

  /** Whether it was encrypted with another key than would be used now. */
  isStale(sealed: string): boolean {
    return !sealed.startsWith(`${this.#current}:`)
  }

  #keyOf(id: string): Uint8Array {
    const key = this.#keys.get(id)
    if (key !== undefined) return key
    throw new SecretUnreadableError(
      `Encryption key '${id}' is missing; there are ${[...this.#keys.keys()].join(', ')}.`,
    )
  }
}

function keyBytes(key: unknown, argument: string): Uint8Array {
  const bytes = typeof key === 'string' ? textBytes(key) : key
  if (bytes instanceof Uint8Array && bytes.length === 32) return Uint8Array.from(bytes)
  throw new InvalidArgumentError(argument, 'must be 32 bytes, or their base64 or hex')
}

function textBytes(key: string): Uint8Array | undefined {
  if (/^[\da-f]{64}$/i.test(key)) return Buffer.from(key, 'hex')
  return /^[A-Za-z0-9+/]{43}=?$/.test(key) ? Buffer.from(key, 'base64') : undefined
}
