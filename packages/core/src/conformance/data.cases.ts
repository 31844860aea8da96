import assert from 'node:assert/strict'
import type { EventStore } from '../event-store.js'
import type { JsonObject, JsonValue } from '../json.js'
import { at, event, same, upTo } from './helpers.js'
import { topic } from './topic.js'

/** Each value as data, inside an object, in a list and in the metadata: the result and what is read equal what was given. */
async function comesBack(store: EventStore, values: readonly JsonValue[]): Promise<void> {
  const batch = values.flatMap((value) => [
    event('tested', value),
    event('tested', { value, list: [value] }, { metadata: { value, nested: { list: [value] } } }),
  ])
  const { events: recorded } = await store.append('a', batch)
  const read = await store.readStream('a').toArray()
  for (const [index, { data, metadata = {} }] of batch.entries()) {
    for (const actual of [at(recorded, index), at(read, index)]) {
      same(actual.data, data)
      same(actual.metadata, metadata)
    }
  }
  same((await store.verify()).problems, [])
}

export const data = topic('data', {
  'of-every-json-type': ({ store }) =>
    comesBack(store, [
      null,
      true,
      false,
      0,
      1,
      -1,
      'text',
      '',
      [],
      {},
      [[]],
      [{}],
      [null],
      { a: null },
      [1, 'a', [true, { b: [] }]],
    ]),

  'numbers-to-the-last-bit': ({ store }) =>
    comesBack(store, [
      0.1,
      0.1 + 0.2,
      1e21,
      1.5e-7,
      123_456_789_012_345_680_000,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      2 ** 53 + 2,
      2 ** 63,
      -(2 ** 63),
      2 ** 64,
      1e100,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      -Number.MIN_VALUE,
      Number.EPSILON,
      1 / 3,
      4.35,
      100,
      1e2,
    ]),

  'negative-zero-becomes-zero': async ({ store }) => {
    const {
      events: [recorded],
    } = await store.append('a', [event('tested', { n: -0, list: [-0] }, { metadata: { n: -0 } })])
    for (const one of [recorded, await store.readStream('a').first()]) {
      assert.ok(one)
      same([one.data, one.metadata], [{ n: 0, list: [0] }, { n: 0 }])
    }
    same((await store.append('b', [event('tested', -0)])).events[0]?.data, 0)
    same((await store.verify()).problems, [])
  },

  'texts-of-any-unicode': ({ store }) =>
    comesBack(store, [
      'grüße',
      '\u00c5 \u212b A\u030a', // the same letter three times: composed, as a sign, with a combining ring
      '日本語 한국어 العربية עברית',
      '😀👩‍👩‍👧‍👦🏳️‍🌈',
      '\u{10ffff}\uffff\ufffe\ufeff\u2028\u2029\u200b\u202e',
      '\u0001\b\t\n\u000b\f\r\u001f\u007f\u0085\u00a0',
      String.raw`\ " ' / \u0000 \\n %s $1 ? :a @b -- /* */ ; ''`,
      `${'}'.repeat(3)}{{[[,`,
    ]),

  'texts-that-look-like-something-else': ({ store }) =>
    comesBack(store, [
      '2024-01-01T00:00:00.000Z',
      '2024-01-01',
      '12345678901234567890',
      '1.0',
      '1e5',
      'true',
      'null',
      'undefined',
      'NaN',
      '{"a":1}',
      '[1]',
      '"quoted"',
      ' padded ',
      'trailing\n',
      '\\x6162',
      'base64:type252:AAAA',
    ]),

  'keys-of-any-unicode': ({ store }) =>
    comesBack(store, [
      { '': 1, ' ': 2, 'a ': 3, a: 4, A: 5 },
      { 'a.b': 1, 'a[0]': 2, $: 3, '$.a': 4, $ref: 5, '"': 6, '\\': 7, "'": 8, '*': 9, '%': 10 },
      { '\u00e5': 1, 'a\u030a': 2, '😀': 3, '\u{10ffff}': 4, '\n': 5 },
      { 1: 'a', 10: 'b', 2: 'c', '-1': 'd', '01': 'e' },
      { constructor: 1, toString: 2, hasOwnProperty: 3, length: 4, toJSON: 5 },
    ]),

  'a-key-named-proto': async ({ store }) => {
    const value = JSON.parse('{ "__proto__": { "a": 1 }, "b": { "__proto__": 2 } }') as JsonObject
    await comesBack(store, [value])
    const stored = (await store.readStream('a').first())?.data as JsonObject
    same(Object.keys(stored).toSorted(), ['__proto__', 'b'])
  },

  'large-and-wide': ({ store }) =>
    comesBack(store, [
      'é'.repeat(40_000),
      upTo(3_000),
      Object.fromEntries(upTo(1_000).map((n) => [`key-${n}`, { n, text: `value ${n}` }])),
      upTo(200).map((n) => ({ n, list: upTo(n % 5), text: '😀'.repeat(n % 7) })),
    ]),

  'an-object-without-prototype-is-an-object': async ({ store }) => {
    const bare = Object.assign(Object.create(null) as JsonObject, { a: 1 })
    // whether it is taken is open; if so, as what it says
    const outcome = await store.append('a', [event('tested', bare)]).catch(() => undefined)
    if (outcome !== undefined) same(JSON.stringify((await store.readStream('a').first())?.data), '{"a":1}')
  },

  'reads-hand-out-copies': async ({ store }) => {
    const {
      events: [recorded],
    } = await store.append('a', [event('tested', { list: [1] }, { tags: ['a'] })])
    const change = (one: typeof recorded): void => {
      const { list } = (one?.data ?? { list: [] }) as { list: number[] }
      if (!Object.isFrozen(list)) list.push(2)
    }
    change(recorded)
    change(await store.readStream('a').first())
    same((await store.readStream('a').first())?.data, { list: [1] })
  },
})
