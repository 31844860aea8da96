import { describe, expect, it } from 'vitest'
import { Connection } from '../src/connection.js'
import { decode } from '../src/decode.js'
import { SqliteDriver } from '../src/driver.js'
import { positional } from '../src/placeholders.js'
import { Statements } from '../src/statements.js'
import { one, useStores } from './stores.js'

const { database, migrated } = useStores()

describe('placeholders', () => {
  it.each([
    ['select $1, $2', 'select ?, ?', undefined],
    ['select $2, $1, $2', 'select ?, ?, ?', [1, 0, 1]],
    [`select '$1', "$2", $1 -- $3\n/* $4 */`, `select '$1', "$2", ? -- $3\n/* $4 */`, undefined],
    [`select 'it''s $1', $1`, `select 'it''s $1', ?`, undefined],
    ['select $12', 'select ?', [11]],
    ['select 1', 'select 1', undefined],
  ])('%s', (text, expected, order) => {
    expect(positional(text)).toEqual({ text: expected, order })
  })

  it('take each value as often as it is asked for', async () => {
    const driver = new SqliteDriver(new Connection(database(), { foreign: true }), {
      owned: false,
      acquireTimeoutMs: 0,
    })
    expect(await driver.query('select $2, $1, $2', ['a', 'b'])).toEqual([['b', 'a', 'b']])
    const values = ['text', 1.5, null, 2n ** 60n, Buffer.from('blob')]
    const types = await driver.query(
      'select typeof($1), typeof($2), typeof($3), typeof($4), typeof($5)',
      values,
    )
    expect(types).toEqual([['text', 'real', 'null', 'integer', 'blob']])
  })
})

it('the statement that was not used for longest makes room for a new one', () => {
  const statements = new Statements(database(), 2)
  const [first, second] = [statements.get('select 1'), statements.get('select 2')]
  expect(statements.get('select 1')).toBe(first)
  statements.get('select 3')
  expect(statements.get('select 1')).toBe(first)
  expect(statements.get('select 2')).not.toBe(second)
})

it('a statement that changes nothing gives no rows, one with returning does', async () => {
  const driver = new SqliteDriver(new Connection(database(), { foreign: true }), {
    owned: false,
    acquireTimeoutMs: 0,
  })
  await driver.session((session) =>
    session.script('create table t (a integer); insert into t values (1), (2)'),
  )
  expect(await driver.query('update t set a = a + $1', [10])).toEqual([])
  expect(await driver.query('update t set a = a + $1 returning a', [1], ([a]) => a)).toEqual([12, 13])
})

describe('integers beyond 2^53', () => {
  it('are refused, not rounded', () => {
    for (const value of [2 ** 53, -(2 ** 53), 2n ** 53n, 1.5, Number.NaN]) {
      expect(() => decode.number(value)).toThrow(RangeError)
    }
    expect(decode.number(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('are refused where a position would become one, and nothing is stored', async () => {
    const own = database()
    const store = await migrated({ database: own, retry: false })
    await store.append('a', one)
    own.exec(`update sqlite_sequence set seq = ${Number.MAX_SAFE_INTEGER - 1} where name = 'events'`)
    expect((await store.append('a', one)).position).toBe(Number.MAX_SAFE_INTEGER)
    await expect(store.append('a', one)).rejects.toThrow(/beyond the safe integers/)
    expect((await store.getStream('a'))?.version).toBe(2)
    expect(await store.lastPosition()).toBe(Number.MAX_SAFE_INTEGER)
    own.exec('begin')
    own.exec(`insert into events select 9007199254740993, tenant_id, stream_id, stream_type, 3,
      '00000000-0000-7000-8000-000000000000', event_type, schema_version, event_data, metadata, tags, correlation_id,
      causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum from events where version = 1`)
    own.exec('commit')
    await expect(store.lastPosition()).rejects.toThrow(/beyond the safe integers/)
  })

  it('a Database that gives integers as bigint makes no difference', async () => {
    const own = database()
    own.defaultSafeIntegers(true)
    const store = await migrated({ database: own })
    const appended = await store.append('a', one)
    expect([appended.version, appended.position]).toEqual([1, 1])
    expect(await store.readAll().toArray()).toEqual(appended.events)
    expect((await store.transaction((tx) => tx.append('a', one))).version).toBe(2)
    expect(await store.statistics()).toMatchObject({ events: 2 })
  })
})
