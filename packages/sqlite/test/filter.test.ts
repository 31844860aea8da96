import type { JsonObject, JsonValue } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { filterStatements } from '../src/filter.js'
import { Names } from '../src/names.js'
import { useStores } from './stores.js'

const { database, migrated } = useStores()

const keys = [
  'plain',
  '',
  ' ',
  'a.b',
  'a[0]',
  '[0]',
  '$',
  '$.a',
  '"',
  '""',
  '\\',
  '\\"',
  'a\\u0022b',
  '\\u0022',
  "it's",
  'ä',
  '\u{1f600}',
  'line\nbreak',
  '\u0001',
  '\u007f',
  '\u2028',
  '__proto__',
  'constructor',
  '#',
  '%',
  '*',
  '0',
  '-1',
  '$1',
]

const values: JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  0.1,
  1.5,
  1e21,
  1e-7,
  123456789012345680000,
  2 ** 53,
  2 ** 60,
  5e-324,
  1.7976931348623157e308,
  '',
  '0',
  '1',
  'true',
  'null',
  '"',
  '\\',
  '\n',
  'ä',
  '\u{1f600}',
  '\u2028',
  "it's",
  '1e21',
]

/** By definition, so that `__proto__` is a key like any other. */
const object = (key: string, value: JsonValue): JsonObject => Object.fromEntries([[key, value]])

async function storeOf(metadata: readonly JsonObject[]) {
  const store = await migrated()
  await store.append(
    'a',
    metadata.map((one, data) => ({ type: 'happened', data, metadata: one })),
  )
  return async (filter: JsonObject) =>
    (await store.readAll({ metadata: filter }).toArray()).map(({ data }) => data as number)
}

describe('a metadata filter', () => {
  it.each(['flat', 'nested'])('finds each key and no other one, however it is spelt: %s', async (depth) => {
    const wrap = (inner: JsonObject): JsonObject => (depth === 'flat' ? inner : { outer: inner })
    const read = await storeOf(keys.map((key) => wrap(object(key, 'here'))))
    for (const [index, key] of keys.entries()) {
      expect([key, await read(wrap(object(key, 'here')))]).toEqual([key, [index]])
    }
  })

  it('finds a key behind a key, however they are spelt', async () => {
    const read = await storeOf(keys.map((key, index) => object(key, object(keys.at(-index) ?? '', 'here'))))
    for (const [index, key] of keys.entries()) {
      expect([key, await read(object(key, object(keys.at(-index) ?? '', 'here')))]).toEqual([key, [index]])
    }
  })

  it('finds values of the same type and content only', async () => {
    const read = await storeOf([
      ...values.map((value) => ({ key: value })),
      {},
      { key: {} },
      { key: [] },
      { key: [1] },
    ])
    for (const [index, value] of values.entries()) {
      expect([value, await read({ key: value })]).toEqual([value, [index]])
    }
  })

  it('does not look into arrays', async () => {
    const read = await storeOf([{ a: [{ b: 1 }] }, { a: [1] }, { a: { 0: 1 } }, { a: { b: 1 } }])
    expect(await read({ a: { b: 1 } })).toEqual([3])
    expect(await read({ a: { 0: 1 } })).toEqual([2])
  })

  it('wants all leaves', async () => {
    const read = await storeOf([{ a: 1, b: { c: null } }, { a: 1 }, { a: 1, b: {} }, { b: { c: null } }])
    expect(await read({ a: 1, b: { c: null } })).toEqual([0])
  })
})

describe('tags', () => {
  it('are those of the same tenant and event', async () => {
    const store = await migrated()
    const [one, two] = [store.forTenant('one'), store.forTenant('two')]
    await one.append('a', [{ type: 'a', data: 1, tags: ['x', 'x', 'y'] }])
    await two.append('a', [{ type: 'a', data: 2, tags: ['x'] }])
    await one.append('a', [{ type: 'a', data: 3, tags: ['y'] }])
    const read = async (from: typeof one, tags: string[]) =>
      (await from.readAll({ tags }).toArray()).map(({ data }) => data)
    expect(await read(one, ['x'])).toEqual([1])
    expect(await read(two, ['x'])).toEqual([2])
    expect(await read(one, ['y'])).toEqual([1, 3])
    expect(await read(one, ['x', 'y'])).toEqual([1])
    expect(await read(two, ['x', 'y'])).toEqual([])
    expect(
      (
        await store
          .allTenants()
          .readAll({ tags: ['x'] })
          .toArray()
      ).map(({ data }) => data),
    ).toEqual([1, 2])
    expect((await one.readAll().first())?.tags).toEqual(['x', 'x', 'y'])
  })
})

describe('long lists', () => {
  it.each([1, 2, 16, 17, 500])('of %i names', async (count) => {
    const store = await migrated()
    const names = Array.from({ length: count }, (_, index) => `it's "${index}" \\ \u{1f600}`)
    for (const name of [...names, 'other']) await store.append(name, [{ type: name, data: 0 }])
    expect(await store.readAll({ types: names }).count()).toBe(count)
    expect(await store.readAll({ streamIds: names }).count()).toBe(count)
    expect((await store.readAll({ streamIds: names }).toArray()).map(({ streamId }) => streamId)).toEqual(
      names,
    )
  })
})

describe('the plan', () => {
  /** What SQLite would do for a condition, with the schema's own statistics and an empty table. */
  async function planOf(where: string, order = 'position', from = 'events'): Promise<string> {
    const own = database()
    await migrated({ database: own })
    const text = `explain query plan select * from ${from} where ${where} order by ${order} limit 1000`
    const steps = own.prepare(text).all(Object.fromEntries([...'abcdef'].map((name) => [name, 1])))
    return (steps as { detail: string }[]).map(({ detail }) => detail).join('; ')
  }

  const page = 'position > :a and position <= :b'
  it.each([
    ['a page of the log', page, /^SEARCH events USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)$/],
    ['a page of a tenant', `${page} and tenant_id = :c`, /^SEARCH events USING INTEGER PRIMARY KEY/],
    [
      'one type',
      `${page} and tenant_id = :c and event_type = :d`,
      /USING INDEX idx_events_type .*position>\?/,
    ],
    [
      'types',
      `${page} and tenant_id = :c and event_type in (:d, :e)`,
      /^SEARCH events USING INTEGER PRIMARY KEY/,
    ],
    ['one type of all tenants', `${page} and event_type = :d`, /^SEARCH events USING INTEGER PRIMARY KEY/],
    [
      'a correlation',
      `${page} and tenant_id = :c and correlation_id = :d`,
      /USING INDEX idx_events_correlation_id/,
    ],
    ['streams', `${page} and tenant_id = :c and stream_id in (:d, :e)`, /USING INDEX idx_events_stream /],
    [
      'a stream',
      'tenant_id = :a and stream_id = :b and version >= :c',
      /USING INDEX idx_events_stream/,
      'version',
    ],
  ])('of %s reads no more than it gives', async (_, where, plan, order?: string) => {
    const steps = await planOf(where, order)
    expect(steps).toMatch(plan)
    // the streams of a list are sorted together, and are few
    expect(steps.includes('TEMP B-TREE')).toBe(where.includes('stream_id in'))
  })

  it.each([1, 2])('of %i tags goes by the index of the first one, in its order', async (count) => {
    const filter = filterStatements(new Names(''))
    const bind = (): string => '1'
    const { from, position } = filter.tagged?.('a', 'default', bind) ?? { from: '', position: '' }
    const others = count === 1 ? '' : ` and ${filter.tags(['b'], bind)}`
    const where = `${position} > :a and ${position} <= :b and tenant_id = :c${others}`
    const steps = await planOf(where, position, from)
    expect(steps).toMatch(/^SEARCH event_tags USING PRIMARY KEY .*tag=\? AND position>\? AND position<\?/)
    expect(steps).toContain('SEARCH events USING INTEGER PRIMARY KEY (rowid=?)')
    expect(steps).not.toContain('TEMP B-TREE')
  })

  it('of a tag over all tenants goes by position', async () => {
    const where = filterStatements(new Names('')).tags(['a'], () => '1')
    expect(await planOf(`${page} and ${where}`)).toMatch(
      /^SEARCH events USING INTEGER PRIMARY KEY .*; SEARCH t .*USING PRIMARY KEY \(tenant_id=\? AND tag=\? AND position=\?\)$/,
    )
  })
})
