import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import reference from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../src/index.js'
import { invalidEvent } from './refusal.js'

const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'))
const number = fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value))
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(text, number, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '1', '01')),
      tie('value'),
      {
        maxKeys: 6,
        noNullPrototype: false,
      },
    ),
  ),
})).value

describe('canonicalize', () => {
  it('writes the same text as an independent implementation of RFC 8785', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalize(value, 'data')).toBe(reference(value))
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives back deep-equal what went in', () => {
    fc.assert(
      fc.property(json, (value) => {
        const back: unknown = JSON.parse(canonicalize(value, 'data'))
        // the clone turns null prototypes into ordinary ones, as JSON.parse does; toStrictEqual trips over "constructor"
        assert.deepStrictEqual(back, structuredClone(value))
      }),
      { numRuns: 2_000 },
    )
  })

  it('writes one text for one value, in whatever order its keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.integer(), { maxKeys: 20 }), fc.nat(), (object, turn) => {
        const entries = Object.entries(object)
        const turned = [
          ...entries.slice(turn % (entries.length + 1)),
          ...entries.slice(0, turn % (entries.length + 1)),
        ]
        expect(canonicalize(Object.fromEntries(turned), 'data')).toBe(canonicalize(object, 'data'))
      }),
    )
  })

  it('sorts the keys of the example of RFC 8785 by code units', () => {
    const example = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    expect(canonicalize(example, 'data')).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    )
  })

  it.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [333333333.3333333, '333333333.3333333'],
    [2 ** 53, '9007199254740992'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    ['\b\t\n\f\r\u001f\u007f"\\/', '"\\b\\t\\n\\f\\r\\u001f\u007f\\"\\\\/"'],
    ['\u2028\u{1f600}', '"\u2028\u{1f600}"'],
    ['a\\b', '"a\\\\b"'],
    ['a"b', '"a\\"b"'],
    [null, 'null'],
    [[], '[]'],
    [{}, '{}'],
  ])('writes %j as %s', (value, expected) => {
    expect(canonicalize(value, 'data')).toBe(expected)
  })

  it('keeps __proto__ as an ordinary key', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"a":1}')
    expect(canonicalize(value, 'data')).toBe('{"__proto__":{"admin":true},"a":1}')
  })

  it('does not change Unicode: composed and decomposed stay two strings', () => {
    expect(canonicalize('\u00e9', 'data')).not.toBe(canonicalize('e\u0301', 'data'))
  })

  it('takes plain objects and arrays of another realm, and objects without a prototype', () => {
    expect(canonicalize(runInNewContext('({ b: [1, { c: 2 }], a: null })'), 'data')).toBe(
      '{"a":null,"b":[1,{"c":2}]}',
    )
    expect(canonicalize(Object.assign(Object.create(null), { a: 1 }), 'data')).toBe('{"a":1}')
  })

  it('ignores what is not enumerable, and never calls an inherited toJSON', () => {
    const value = Object.defineProperty({ a: 1 }, 'hidden', { value: () => 1, enumerable: false })
    expect(canonicalize(value, 'data')).toBe('{"a":1}')
  })

  it('reads every property once', () => {
    const reads: string[] = []
    const value = new Proxy(
      { a: 'x', b: ['y'] },
      { get: (target, key, receiver) => (reads.push(String(key)), Reflect.get(target, key, receiver)) },
    )
    canonicalize(value, 'data')
    expect(reads).toStrictEqual(['a', 'b'])
    let times = 0
    const changing = {
      get a() {
        return ++times === 1 ? 'first' : undefined
      },
    }
    expect(canonicalize(changing, 'data')).toBe('{"a":"first"}')
  })

  it('takes an object that occurs twice', () => {
    const shared = { a: 1 }
    expect(canonicalize([shared, shared], 'data')).toBe('[{"a":1},{"a":1}]')
  })
})

describe('canonicalize refuses', () => {
  class Money {
    amount = 1
  }
  class Items extends Array<unknown> {}
  class Nothing extends (null as unknown as new () => object) {}
  const withExtra: unknown = Object.assign([1], { extra: 1 })
  // oxlint-disable-next-line no-sparse-arrays
  const sparse: unknown = [1, , 3]
  const symbolOnArray: unknown = Object.assign([1], { [Symbol('s')]: 1 })

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /undefined is no JSON value/],
    ['a function', () => 1, /function/],
    ['a symbol', Symbol('s'), /symbol/],
    ['a bigint', 1n, /bigint/],
    ['NaN', Number.NaN, /NaN/],
    ['Infinity', Infinity, /Infinity/],
    ['-Infinity', -Infinity, /-Infinity/],
    ['a Date', new Date(), /instance of Date/],
    ['a Date of another realm', runInNewContext('new Date()'), /instance of Date/],
    ['a Map', new Map(), /instance of Map/],
    ['a RegExp', /a/, /instance of RegExp/],
    ['an Error', new Error('a'), /instance of Error/],
    ['a Buffer', Buffer.from('a'), /instance of Buffer/],
    ['a Promise', Promise.resolve(), /instance of Promise/],
    ['a boxed string', Object('a'), /instance of String/],
    ['a boxed number', Object(1), /instance of Number/],
    ['a boxed boolean', Object(false), /instance of Boolean/],
    ['a boxed string of another realm', runInNewContext('new String("a")'), /instance of String/],
    ['an instance of a class', new Money(), /instance of Money/],
    ['an instance of a class without a root', Object.create(Nothing.prototype), /instance of Nothing/],
    ['an object that inherits from a null-prototype one', Object.create(Object.create(null)), /plain object/],
    ['an instance of a subclass of Array', new Items(), /instance of Items/],
    ['an object with a toJSON method', { toJSON: () => 1 }, /function/],
    ['a sparse array', sparse, /undefined/],
    ['an array with further properties', withExtra, /besides its elements/],
    ['a symbol key', { [Symbol('s')]: 1 }, /symbol/],
    ['a symbol key of an array', symbolOnArray, /symbol/],
    ['U+0000 in a string', 'a\0b', /U\+0000 at index 1/],
    ['U+0000 in a long string', `${'x'.repeat(100)}\0`, /U\+0000 at index 100/],
    ['a lone high surrogate', 'a\ud800', /lone surrogate U\+D800 at index 1/],
    ['a lone low surrogate', '\udc00a', /lone surrogate U\+DC00 at index 0/],
    ['surrogates the wrong way round', '\udc00\ud800', /lone surrogate/],
    ['two low surrogates', 'a\udc00\udc00', /lone surrogate U\+DC00 at index 1/],
    [
      'a lone surrogate in a long string',
      `${'\u{1f600}'.repeat(50)}\ud83d`,
      /lone surrogate U\+D83D at index 100/,
    ],
  ])('%s, at any place', (_, value, reason) => {
    const top = invalidEvent(() => canonicalize(value, 'data'))
    expect(top.reason).toMatch(reason)
    expect(top.path).toMatch(/^data(\.toJSON|\[1\])?$/)
    const within = invalidEvent(() => canonicalize({ a: [0, { b: value }] }, 'data'))
    expect(within.reason).toMatch(reason)
    expect(within.path).toMatch(/^data\.a\[1\]\.b/)
  })

  it.each([
    ['a\0', /U\+0000/],
    ['\ud800', /lone surrogate/],
    ['k'.repeat(1025), /1025 UTF-8 bytes/],
    ['é'.repeat(513), /1026 UTF-8 bytes/],
  ])('the key %.20s…', (key, reason) => {
    const refusal = invalidEvent(() => canonicalize({ a: { [key]: 1 } }, 'data'))
    expect(refusal.reason).toMatch(reason)
    expect(refusal.path).toMatch(/^data\.a[.[]/)
  })

  it('no key of 1,024 bytes', () => {
    expect(() => canonicalize({ ['é'.repeat(512)]: 1, ['k'.repeat(1024)]: 2 }, 'data')).not.toThrow()
  })

  it('whatever is unfit, wherever it is in a value', () => {
    const unfit = fc.constantFrom(undefined, Number.NaN, 1n, 'a\0', '\udfff', new Date(0), new Set(), () => 0)
    fc.assert(
      fc.property(json, fc.array(fc.oneof(text, fc.nat(9)), { maxLength: 8 }), unfit, (value, way, bad) => {
        const whole = way.reduceRight<unknown>(
          (inner, step) => (typeof step === 'number' ? [value, inner] : { a: value, [`_${step}`]: inner }),
          bad,
        )
        expect(invalidEvent(() => canonicalize(whole, 'data')).path).toMatch(/^data/)
      }),
    )
  })

  it('more than 30 levels, and not 30', () => {
    const arrays = (levels: number): unknown => (levels === 0 ? 1 : [arrays(levels - 1)])
    const objects = (levels: number): unknown => (levels === 0 ? 1 : { a: objects(levels - 1) })
    expect(canonicalize(arrays(30), 'data')).toBe(`${'['.repeat(30)}1${']'.repeat(30)}`)
    expect(() => canonicalize(objects(30), 'data')).not.toThrow()
    expect(invalidEvent(() => canonicalize(arrays(31), 'data'))).toStrictEqual({
      path: `data${'[0]'.repeat(30)}`,
      reason: 'nested deeper than 30 levels',
    })
    expect(invalidEvent(() => canonicalize(objects(31), 'data')).path).toBe(`data${'.a'.repeat(30)}`)
  })

  it('a nesting that would overflow the stack, without overflowing it', () => {
    let deep: unknown = []
    for (let level = 0; level < 200_000; level++) deep = [deep]
    expect(invalidEvent(() => canonicalize(deep, 'data')).reason).toMatch(/deeper than 30/)
  })

  it('cycles, by that name and at the shortest path', () => {
    const own: Record<string, unknown> = { name: 'a' }
    own['self'] = own
    const reason = 'a cycle: the value contains itself'
    expect(invalidEvent(() => canonicalize(own, 'data'))).toStrictEqual({ path: 'data.self', reason })
    const parent: { children: unknown[] } = { children: [] }
    parent.children.push({ parent })
    expect(invalidEvent(() => canonicalize({ tree: parent }, 'data'))).toStrictEqual({
      path: 'data.tree.children[0].parent',
      reason,
    })
  })

  it('what is too large before it has filled the memory', () => {
    let bomb: unknown = 'x'
    for (let level = 0; level < 29; level++) bomb = [bomb, bomb, bomb, bomb]
    const refusal = invalidEvent(() =>
      canonicalize(bomb, 'events[0].data', { maxBytes: 1000, maxBytesPath: 'events[0]' }),
    )
    expect(refusal).toStrictEqual({ path: 'events[0]', reason: 'larger than 1000 bytes as JSON' })
  })

  it('with paths that can be read', () => {
    const path = (value: unknown) => invalidEvent(() => canonicalize(value, 'events[2].data')).path
    expect(path({ a: { b: undefined } })).toBe('events[2].data.a.b')
    expect(path({ 'a b': [undefined] })).toBe('events[2].data["a b"][0]')
    expect(path({ '1': { 'quote"': undefined } })).toBe('events[2].data["1"]["quote\\""]')
    expect(path({ größe$_1: undefined })).toBe('events[2].data.größe$_1')
    expect(path({ ['x y'.repeat(50)]: undefined }).length).toBeLessThan(100)
  })
})
