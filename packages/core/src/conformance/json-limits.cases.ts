import type { NewEvent } from '../event.js'
import type { JsonObject, JsonValue } from '../json.js'
import { event, refused, refusedAt, same, upTo } from './helpers.js'
import { topic } from './topic.js'

const nested = (depth: number, kind: 'list' | 'object'): JsonValue => {
  let value: JsonValue = kind === 'list' ? [] : {}
  for (const _ of upTo(depth - 1)) value = kind === 'list' ? [value] : { a: value }
  return value
}

class Money {
  amount = 1
}

const cycle: Record<string, unknown> = {}
cycle['self'] = { cycle }

const noJson: Record<string, unknown> = {
  undefined: undefined,
  'a function': () => 1,
  'a symbol': Symbol('s'),
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  'a bigint': 1n,
  'a Date': new Date(0),
  'a Map': new Map(),
  'a Set': new Set(),
  'a Buffer': Buffer.from('x'),
  'a class instance': new Money(),
  'a RegExp': /x/,
  'a cycle': cycle,
  'an array with a hole': Array.from({ length: 2 }, () => 1).concat(Array<number>(1)),
  'U+0000 in a text': 'a\u0000b',
  'U+0000 in a key': { 'a\u0000b': 1 },
  'a lone high surrogate': 'a\ud83d',
  'a lone low surrogate': '\ude00a',
  'turned surrogates': '\ude00\ud83d',
  'a lone surrogate in a key': { '\ud83d': 1 },
  'a key of 1,025 bytes': { ['k'.repeat(1_025)]: 1 },
  'a key of 1,025 bytes in UTF-8': { [`${'é'.repeat(512)}k`]: 1 },
}

export const jsonLimits = topic('json-limits', {
  'nesting-of-30': async ({ store }) => {
    for (const kind of ['list', 'object'] as const) {
      const data = nested(30, kind)
      await store.append('a', [event('tested', data)])
      same((await store.readStream('a', { direction: 'backwards' }).first())?.data, data)
      await refusedAt(store, event('tested', nested(31, kind)), /^events\[1\]\.data/)
    }
    const metadata = nested(30, 'object') as JsonObject
    await store.append('a', [event('tested', {}, { metadata })])
    same((await store.readStream('a', { direction: 'backwards' }).first())?.metadata, metadata)
    await refusedAt(
      store,
      event('tested', {}, { metadata: nested(31, 'object') as JsonObject }),
      /^events\[1\]\.metadata/,
    )
  },

  'keys-of-up-to-1024-bytes': async ({ store }) => {
    const data = { ['k'.repeat(1_024)]: 1, ['é'.repeat(512)]: 2, '': 3 }
    await store.append('a', [event('tested', data, { metadata: data })])
    const stored = await store.readStream('a').first()
    same([stored?.data, stored?.metadata], [data, data])
  },

  'data-is-json': async ({ store }) => {
    for (const value of Object.values(noJson)) {
      await refusedAt(store, { type: 'tested', data: value as JsonValue }, /^events\[1\]\.data/)
      await refusedAt(store, event('tested', { in: { a: [value] } } as JsonValue), /^events\[1\]\.data/)
    }
    await refusedAt(store, { type: 'tested' } as NewEvent, /^events\[1\]\.data/)
    const undefinedInside = { a: undefined } as unknown as JsonValue
    await refusedAt(store, event('tested', undefinedInside), /^events\[1\]\.data\.a$/)
  },

  'metadata-is-a-json-object': async ({ store }) => {
    for (const value of Object.values(noJson)) {
      const metadata = { in: [{ a: value }] } as unknown as JsonObject
      await refusedAt(store, event('tested', {}, { metadata }), /^events\[1\]\.metadata/)
    }
    for (const value of [null, [], 'text', 1, true, new Map(), new Date(0)]) {
      const metadata = value as unknown as JsonObject
      await refusedAt(store, event('tested', {}, { metadata }), /^events\[1\]\.metadata/)
    }
  },

  'the-path-says-where': async ({ store }) => {
    const bad = event('tested', { a: { b: Number.NaN } })
    const error = await refused(store.append('a', [event(), event(), bad]), 'VARVE_INVALID_EVENT', {
      path: 'events[2].data.a.b',
    })
    same([typeof error['reason'], error.message.includes('events[2].data.a.b')], ['string', true])
  },
})
