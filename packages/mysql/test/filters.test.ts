import type { JsonObject, JsonValue } from '@varve/core'
import { expect, it } from 'vitest'
import { onEach } from './store.js'

const keys = [
  [
    'a',
    'A',
    ' a',
    'a ',
    '',
    '0',
    '00',
    '-',
    '-1',
    '--',
    '-a',
    'a-',
    'a.b',
    '.',
    '..',
    'a"b',
    '"',
    'a\\b',
    '\\',
    '\\"',
  ],
  [
    "it's",
    '$',
    '$.a',
    '*',
    '**',
    'a[0]',
    '[0]',
    '[*]',
    'last',
    'to',
    '?',
    '@',
    '#',
    '%',
    '_',
    '\n',
    '\u0001',
    '\u007f',
  ],
  ['é', 'e\u0301', 'ü😀', '\u{10ffff}', '\u2028', 'null', 'true', '__proto__', 'constructor'],
].flat()

const numbers = [
  [0, 1, -1, 1.5, 10, 0.1, 0.1 + 0.2, 1e21, -1e21, 1e-7, 5e-324, -5e-324, 2.2250738585072014e-308],
  [Number.MAX_VALUE, 9007199254740991, 123456789012345680000, 2 ** 53, 2 ** 63, 2 ** 64, -(2 ** 63)],
].flat()
const texts = [
  '0',
  '1',
  '',
  'null',
  'true',
  '[]',
  '{}',
  'é',
  'e\u0301',
  'É',
  'a ',
  'a',
  'A',
  '"',
  '\\',
  '\n\u0001\u2028',
  '😀',
]
const values: JsonValue[] = [
  numbers,
  texts,
  [true, false, null, [], {}, [1], ['a'], [[1]], [null], { a: 1 }, [{ a: 1 }]],
].flat(1)

const isLeaf = (value: JsonValue): boolean => typeof value !== 'object' || value === null

onEach('metadata filters', ({ fresh, sql }) => {
  it('find every key, and no other', async () => {
    const { store } = await fresh()
    const of = (key: string): JsonObject => Object.fromEntries([[key, 'here']])
    await store.append(
      'a',
      keys.map((key) => ({ type: 't', data: key, metadata: of(key) })),
    )
    await store.append(
      'b',
      keys.map((key) => ({ type: 't', data: key, metadata: { outer: of(key) } })),
    )
    for (const key of keys) {
      for (const [streamId, metadata] of [
        ['a', of(key)],
        ['b', { outer: of(key) }],
      ] as const) {
        const found = await store.readAll({ metadata }).toArray()
        expect(found.map(({ data, streamId: stream }) => [stream, data])).toEqual([[streamId, key]])
      }
    }
  })

  it('tell every value from every other', async () => {
    const { store } = await fresh()
    await store.append(
      'a',
      values.map((value, data) => ({ type: 't', data, metadata: { value, nested: { value } } })),
    )
    for (const value of values.filter(isLeaf)) {
      const expected = values.flatMap((other, index) => (Object.is(other, value) ? [index] : []))
      for (const metadata of [{ value }, { nested: { value } }, { value, nested: { value } }]) {
        const found = await store.readAll({ metadata }).toArray()
        expect({ metadata, found: found.map(({ data }) => data) }).toEqual({ metadata, found: expected })
      }
    }
  })

  it('go by indexes where there are some', async () => {
    const { store, prefix } = await fresh()
    await store.append(
      'a',
      Array.from({ length: 600 }, (_, n) => ({ type: `t-${n % 50}`, data: n, correlationId: `c-${n % 99}` })),
    )
    const key = async (where: string): Promise<unknown> => {
      // it would end a transaction
      await sql(`analyze table ${prefix}events`)
      return store.transaction(async (tx) => {
        const [rows] = await tx.client.query(
          `explain format = traditional select position from ${prefix}events where ${where}`,
        )
        return (rows as { key: unknown }[])[0]?.key
      })
    }
    expect(await key(`tenant_id = 'default' and correlation_id = 'c-7'`)).toBe('idx_events_correlation_id')
    expect(await key(`tenant_id = 'default' and event_type = 't-7' order by position limit 10`)).toBe(
      'idx_events_type',
    )
    const id = (await store.readStream('a').first())?.id
    expect(await key(`tenant_id = 'default' and event_id in ('${id}', 'x')`)).toBe('idx_events_event_id')
    expect(
      await key(`tenant_id = 'default' and stream_id = 'a' and version > 590 order by version limit 10`),
    ).toBe('idx_events_stream')
  })
})
