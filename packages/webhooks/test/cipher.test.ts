import { describe, expect, it } from 'vitest'
import { Cipher, headerOwner } from '../src/secrets/cipher.js'

const [one, two] = [
  { id: 'one', key: 'a'.repeat(64) },
  { id: 'two', key: Buffer.alloc(32, 7).toString('base64') },
]
const unreadable = expect.objectContaining({ code: 'VARVE_WEBHOOK_SECRET' })

describe('secrets at rest', () => {
  it('come back as they were, and are different bytes each time', () => {
    const cipher = new Cipher([one])
    const sealed = Array.from({ length: 200 }, () => cipher.encrypt('whsec_Grüße ☕', 'we_1'))
    expect(new Set(sealed.map((each) => each.slice(0, 'one:'.length + 16))).size).toBe(200)
    for (const each of sealed) {
      expect(each).toMatch(/^one:[A-Za-z0-9+/]+=*$/)
      expect(cipher.decrypt(each, 'we_1')).toBe('whsec_Grüße ☕')
    }
  })

  it('open for their owner only, and not when a bit was changed', () => {
    const cipher = new Cipher([one])
    const sealed = cipher.encrypt('secret', 'we_1')
    expect(() => cipher.decrypt(sealed, 'we_2')).toThrow(unreadable)
    const header = cipher.encrypt('secret', headerOwner('we_1', 'x-key'))
    for (const other of ['we_1', headerOwner('we_1', 'x-other'), headerOwner('we_2', 'x-key')])
      expect(() => cipher.decrypt(header, other)).toThrow(unreadable)
    const bytes = Buffer.from(sealed.slice(4), 'base64')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => cipher.decrypt(`one:${changed.toString('base64')}`, 'we_1')).toThrow(unreadable)
    }
  })

  it.each([0, 1, 4, 12, 15, 16, 27])(
    'do not open when only %i bytes are left: no shorter tag is taken',
    (length) => {
      const cipher = new Cipher([one])
      const bytes = Buffer.from(cipher.encrypt('', 'we_1').slice(4), 'base64')
      expect(() => cipher.decrypt(`one:${bytes.subarray(0, length).toString('base64')}`, 'we_1')).toThrow(
        unreadable,
      )
      expect(() =>
        cipher.decrypt(`one:${bytes.subarray(-length || 28, -1).toString('base64')}`, 'we_1'),
      ).toThrow(unreadable)
    },
  )

  it('are encrypted with the first key, and decrypted with any; what has no key says which one is missing', () => {
    const old = new Cipher([one]).encrypt('secret', 'we_1')
    const both = new Cipher([two, one])
    expect(both.decrypt(old, 'we_1')).toBe('secret')
    expect(both.isStale(old)).toBe(true)
    const fresh = both.encrypt('secret', 'we_1')
    expect(fresh).toMatch(/^two:/)
    expect(both.isStale(fresh)).toBe(false)
    expect(() => new Cipher([two]).decrypt(old, 'we_1')).toThrow(/'one' is missing; there are two/)
    expect(() => new Cipher([{ ...two, id: 'one' }]).decrypt(old, 'we_1')).toThrow(/does not open/)
  })

  it.each([
    [[]],
    [[{ id: '', key: one.key }]],
    [[{ id: 'a:b', key: one.key }]],
    [[one, one]],
    [[{ id: 'short', key: 'SECRET' }]],
    [[{ id: 'short', key: Buffer.alloc(31) }]],
    [[{ id: 'none', key: undefined as unknown as string }]],
  ])('need keys that are keys, and never repeat one: %#', (keys) => {
    expect(() => new Cipher(keys)).toThrow(
      expect.objectContaining({
        code: 'VARVE_INVALID_ARGUMENT',
        message: expect.not.stringMatching(/SECRET|a{64}/),
      }),
    )
  })
})
