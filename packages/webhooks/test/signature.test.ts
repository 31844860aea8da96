import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, it } from 'vitest'
import {
  generateKeyPair,
  generateSecret,
  hopMetadata,
  publicPart,
  signWebhook,
  verifyWebhook,
} from '../src/signature/index.js'

const body = JSON.stringify({ type: 'order.placed', data: { text: 'Grüße ☕' } })
const secret = generateSecret()
const plain = (headers: object): Record<string, string> => ({ ...headers })
const reason = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return (error as { reason?: unknown }).reason
  }
  return 'accepted'
}

describe('signatures', () => {
  it('are those of the standard, by a message known from its specification', () => {
    const headers = signWebhook({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
      secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    })
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('are accepted by standardwebhooks and svix, and theirs by ours', () => {
    const headers = signWebhook({ id: 'msg_1', body, secrets: secret })
    expect(new Webhook(secret).verify(body, plain(headers))).toEqual(JSON.parse(body))
    new SvixWebhook(secret).verify(body, plain(headers))

    const timestamp = new Date()
    for (const library of [new Webhook(secret), new SvixWebhook(secret)]) {
      const theirs = {
        'webhook-id': 'msg_2',
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': library.sign('msg_2', timestamp, body),
      }
      expect(verifyWebhook({ headers: theirs, body, secrets: secret }).id).toBe('msg_2')
    }
  })

  it('are refused by all three when a byte of the body has changed', () => {
    const headers = signWebhook({ id: 'msg_1', body, secrets: secret })
    const changed = body.replace('placed', 'Placed')
    expect(reason(() => verifyWebhook({ headers: plain(headers), body: changed, secrets: secret }))).toBe(
      'no-match',
    )
    expect(() => new Webhook(secret).verify(changed, plain(headers))).toThrow()
    expect(() => new SvixWebhook(secret).verify(changed, plain(headers))).toThrow()
  })

  it.each([
    ['a timestamp with something behind it', '1700000000abc', 'bad-timestamp'],
    ['a hexadecimal timestamp', '0x65536f00', 'bad-timestamp'],
    ['a timestamp with a sign', '-1700000000', 'bad-timestamp'],
    ['a timestamp with a fraction', '1700000000.5', 'bad-timestamp'],
    ['an empty timestamp', '', 'missing-header'],
    ['a timestamp of more than six minutes ago', '1699999639', 'too-old'],
    ['a timestamp six minutes ahead', '1700000361', 'too-new'],
  ])('with %s are refused', (_, timestamp, expected) => {
    const now = new Date(1_700_000_000_000)
    const signed = signWebhook({ id: 'msg_1', body, secrets: secret, timestamp: now })
    const headers = { ...signed, 'webhook-timestamp': timestamp }
    expect(reason(() => verifyWebhook({ headers, body, secrets: secret, now }))).toBe(expected)
  })

  it('hold for five minutes, to the second, either way', () => {
    const timestamp = new Date(1_700_000_000_000)
    const headers = plain(signWebhook({ id: 'msg_1', body, secrets: secret, timestamp }))
    const at = (seconds: number): unknown =>
      reason(() =>
        verifyWebhook({ headers, body, secrets: secret, now: new Date(1_700_000_000_000 + seconds * 1000) }),
      )
    expect([at(300), at(301), at(-300), at(-301)]).toEqual(['accepted', 'too-old', 'accepted', 'too-new'])
  })

  it('cover bytes that are no UTF-8', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x61])
    const headers = plain(signWebhook({ id: 'msg_1', body: bytes, secrets: secret }))
    expect(verifyWebhook({ headers, body: bytes, secrets: secret }).id).toBe('msg_1')
    // read as text, other bytes would give the same signature
    const other = Buffer.from([0xfd, 0xfe, 0x00, 0x80, 0x61])
    expect(reason(() => verifyWebhook({ headers, body: other, secrets: secret }))).toBe('no-match')
  })

  it.each([1, 16, 23, 65])('by a key of %i bytes are refused, when signing and when verifying', (bytes) => {
    const short = `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`
    expect(() => signWebhook({ id: 'm', body, secrets: short })).toThrow(/24 to 64/)
    const headers = plain(signWebhook({ id: 'm', body, secrets: secret }))
    expect(() => verifyWebhook({ headers, body, secrets: short })).toThrow(/24 to 64/)
  })

  it('take a secret of 24 to 64 bytes, with its padding or without', () => {
    for (const bytes of [24, 25, 26, 32, 64]) {
      const key = `whsec_${randomBytes(bytes).toString('base64')}`
      const headers = plain(signWebhook({ id: 'm', body, secrets: key }))
      expect(verifyWebhook({ headers, body, secrets: key.replace(/=+$/, '') }).id).toBe('m')
    }
  })

  it('never repeat a secret in an error', () => {
    for (const bad of ['whsec_SECRETSECRET', 'SECRET', 'whsec_###SECRET', 'whsk_SECRETSECRET']) {
      expect(() => signWebhook({ id: 'm', body, secrets: bad })).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('SECRET') }),
      )
    }
  })

  it('of all live secrets stand side by side, so that receivers may change over when they like', () => {
    const [older, newer] = [generateSecret(), generateSecret()]
    const headers = plain(signWebhook({ id: 'm', body, secrets: [newer, older] }))
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const secrets of [older, newer, [older, newer]])
      expect(verifyWebhook({ headers, body, secrets }).id).toBe('m')
    new Webhook(older).verify(body, headers)
    new Webhook(newer).verify(body, headers)
    expect(reason(() => verifyWebhook({ headers, body, secrets: generateSecret() }))).toBe('no-match')
  })

  it('with Ed25519 are verified by the public key, and made by nobody who has only that', () => {
    const pair = generateKeyPair()
    expect(publicPart(pair.secret)).toBe(pair.publicKey)
    const headers = plain(signWebhook({ id: 'm', body, secrets: [pair.secret, secret] }))
    expect(headers['webhook-signature']).toMatch(/^v1a,\S{88} v1,\S{44}$/)
    expect(verifyWebhook({ headers, body, secrets: pair.publicKey }).id).toBe('m')
    expect(verifyWebhook({ headers, body, secrets: secret }).id).toBe('m')
    expect(() => signWebhook({ id: 'm', body, secrets: pair.publicKey })).toThrow(/public/)
    expect(reason(() => verifyWebhook({ headers, body, secrets: generateKeyPair().publicKey }))).toBe(
      'no-match',
    )
    expect(reason(() => verifyWebhook({ headers, body: `${body} `, secrets: pair.publicKey }))).toBe(
      'no-match',
    )
  })

  it('of one kind are not taken for the other', () => {
    const headers = plain(signWebhook({ id: 'm', body, secrets: secret }))
    const renamed = {
      ...headers,
      'webhook-signature': headers['webhook-signature']?.replace('v1,', 'v1a,') ?? '',
    }
    expect(reason(() => verifyWebhook({ headers: renamed, body, secrets: secret }))).toBe('no-match')
  })

  it.each(['v1,', 'v1', ',', 'v1,AAAA', 'v2,AAAA', '= v1,x'])('such as %j match nothing', (signature) => {
    const headers = {
      ...plain(signWebhook({ id: 'm', body, secrets: secret })),
      'webhook-signature': signature,
    }
    expect(reason(() => verifyWebhook({ headers, body, secrets: secret }))).toBe('no-match')
  })

  it('are found in headers of any kind, and refused when there are two', () => {
    const signed = signWebhook({ id: 'm', body, secrets: secret })
    expect(verifyWebhook({ headers: new Headers({ ...signed }), body, secrets: secret }).id).toBe('m')
    const upper = Object.fromEntries(
      Object.entries(signed).map(([name, value]) => [name.toUpperCase(), value]),
    )
    expect(verifyWebhook({ headers: upper, body, secrets: secret }).id).toBe('m')
    const twice = { ...signed, 'webhook-id': ['m', 'n'] }
    expect(reason(() => verifyWebhook({ headers: twice, body, secrets: secret }))).toBe('missing-header')
    expect(reason(() => verifyWebhook({ headers: {}, body, secrets: secret }))).toBe('missing-header')
  })

  it.each(['a.b', '', 'a b', 'ä', 'a\nb'])('are not made for the id %j', (id) => {
    expect(() => signWebhook({ id, body, secrets: secret })).toThrow(TypeError)
  })

  it('come with the number of hops, when somebody counts', () => {
    expect(hopMetadata({ 'webhook-hops': '3' })).toEqual({ webhookHops: 3 })
    for (const junk of ['', 'x', '-1', '1e9', '99999'])
      expect(hopMetadata({ 'webhook-hops': junk })).toEqual({ webhookHops: 0 })
  })
})
