import { isInvalidArgumentError, isStoreClosedError, openEventStore } from '@varve/core'
import { createPool as createCallbackPool } from 'mysql2'
import { createPool } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { adapter, createMysqlEventStore } from '../src/index.js'
import { one, onEach, rowsOf } from './store.js'

onEach('the pool', ({ fresh, open, database, prefix, owner }, family) => {
  it("may be the caller's own, of either kind, and stays open", async () => {
    const promised = createPool({ uri: database().url, connectionLimit: 3 })
    const called = createCallbackPool({ uri: database().url, connectionLimit: 3 })
    for (const pool of [promised, called]) {
      const store = createMysqlEventStore({ pool, tablePrefix: prefix() })
      await store.migrate()
      await Promise.all(Array.from({ length: 20 }, (_, n) => store.append(`s-${n % 3}`, one())))
      await store.transaction(async (tx) => {
        await tx.client.query('select 1')
        await tx.append('a', one())
      })
      expect(await store.readAll().count()).toBe(21)
      expect((await store.health()).status).toBe('ok')
      await store.close()
      await expect(store.append('a', one())).rejects.toSatisfy(isStoreClosedError)
    }
    expect(await rowsOf(promised, 'select 1 as n')).toEqual([{ n: 1 }])
    await promised.end()
    await new Promise<void>((resolve) => called.end(() => resolve()))
  })

  it("may be the caller's own with settings that change what columns come back as", async () => {
    const pool = createPool({
      uri: database().url,
      connectionLimit: 2,
      rowsAsArray: false,
      namedPlaceholders: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      decimalNumbers: true,
      dateStrings: false,
      timezone: '+09:00',
      nestTables: true,
      typeCast: (_field, next) => String(next()),
    })
    const store = open({ pool, tablePrefix: prefix() })
    await store.migrate()
    const before = Date.now()
    const { events } = await store.append('a', [
      { type: 'tested', data: { n: 1.5, list: [null, true] }, tags: ['x'], occurredAt: new Date(1_234) },
    ])
    expect(await store.readAll({ tags: ['x'] }).toArray()).toEqual(events)
    expect(Math.abs((events[0]?.recordedAt.getTime() ?? 0) - before)).toBeLessThan(60_000)
    expect(await store.verify()).toMatchObject({ ok: true, events: 1 })
    expect(await store.statistics()).toMatchObject({ events: 1, streams: 1, lastPosition: 1 })
    expect((await store.health()).status).toBe('ok')
    await store.close()
    await pool.end()
  })

  it("keeps the settings of the caller's connections, whose default is repeatable read", async () => {
    const pool = createPool({ uri: database().url, connectionLimit: 1 })
    const settings = () =>
      rowsOf(
        pool,
        `show session variables where variable_name like '%isolation' or variable_name in ('sql_mode', 'autocommit', 'time_zone')`,
      )
    const before = await settings()
    const store = open({ pool, tablePrefix: prefix() })
    await store.migrate()
    await store.append('a', one())
    await store.append('a', one())
    await store.transaction((tx) => tx.append('a', one()))
    await store.maintenance(async () => undefined)
    await store.verify()
    expect(await settings()).toEqual(before)
    expect(await rowsOf(pool, 'select @varve_maintenance as door')).toEqual([{ door: null }])
    await store.close()
    await pool.end()
  })

  it("runs its transactions under read committed, on its own pool and the caller's", async () => {
    const pool = createPool({ uri: database().url, connectionLimit: 4 })
    const tablePrefix = prefix()
    for (const store of [open({ pool, tablePrefix }), open({ tablePrefix })]) {
      await store.migrate()
      await store.transaction(async (tx) => {
        const count = async (): Promise<unknown> => {
          const [rows] = await tx.client.query(`select count(*) as n from ${tablePrefix}events`)
          return rows
        }
        const [before] = (await count()) as { n: number }[]
        await store.append('a', one())
        expect(await count()).toEqual([{ n: (before?.n ?? 0) + 1 }])
      })
      await store.close()
    }
    await pool.end()
  })

  it('is refused when nothing would be committed, text would be lost, or what is rolled back be seen', async () => {
    const narrow = createPool({ uri: database().url, connectionLimit: 1, charset: 'latin1' })
    const unfit = ['autocommit = 0', 'completion_type = 1', 'transaction isolation level read uncommitted']
    const pools = unfit.map(async (setting) => {
      const pool = createPool({ uri: database().url, connectionLimit: 1 })
      await pool.query(`set session ${setting}`)
      return pool
    })
    for (const pool of [narrow, ...(await Promise.all(pools))]) {
      const store = open({ pool })
      await expect(store.lastPosition()).rejects.toSatisfy(isInvalidArgumentError)
      await store.close()
      await pool.end()
    }
  })

  it('opens no more connections than it may, and ends them when they lie idle', async () => {
    const { store } = await fresh({ pool: { max: 3, min: 1 }, idleTimeoutMs: 50 })
    const user = new URL(database().url).username
    const connections = async (): Promise<number> => {
      const rows = await rowsOf(owner(), 'show processlist')
      return rows.filter((row) => row['User'] === user && row['db'] === database().name).length
    }
    const others = 1
    await Promise.all(Array.from({ length: 30 }, () => store.readAll().count()))
    let most = 0
    for (let round = 0; round < 5; round++) {
      const work = Array.from({ length: 20 }, () => store.transaction(async (tx) => tx.client.query('do 1')))
      most = Math.max(most, await connections())
      await Promise.all(work)
    }
    expect(most).toBeLessThanOrEqual(3 + others + 8)
    // one is kept
    while ((await connections()) > 1 + others) await new Promise((resolve) => setImmediate(resolve))
    expect(await store.readAll().count()).toBe(0)
  })

  it('says so when no connection is to be had in time', async () => {
    const { store } = await fresh({ pool: { max: 1 }, acquireTimeoutMs: 100, retry: false })
    await store.transaction(async () => {
      const begun = performance.now()
      const error: unknown = await store.append('a', one()).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' })
      expect(String(error)).toContain('no connection within 100 ms')
      expect(performance.now() - begun).toBeLessThan(2_000)
    })
    // the connection that was asked for too late has been given back
    expect((await store.append('a', one())).version).toBe(1)
  })

  it('is opened by URL', async () => {
    const url = database().url.replace('mysql:', family === 'mariadb' ? 'mariadb:' : 'mysql:')
    const store = await openEventStore(`${url}?tablePrefix=${prefix()}`, { adapters: [adapter] })
    await store.migrate()
    expect((await store.append('a', one())).version).toBe(1)
    await store.close()
  })
})

it('refuses options that make no sense', () => {
  const wrong: object[] = [
    {},
    { uri: '' },
    { uri: 'postgres://x/y' },
    { uri: 1 },
    { uri: 'mysql://x/y', pool: createCallbackPool({ uri: 'mysql://x/y' }) },
    { uri: 'mysql://x/y', tablePrefix: 'a-b' },
    { uri: 'mysql://x/y', tablePrefix: '1a' },
    { uri: 'mysql://x/y', tablePrefix: 'a'.repeat(31) },
    { uri: 'mysql://x/y', schema: 'varve' },
    { uri: 'mysql://x/y', pool: { maximum: 1 } },
  ]
  for (const options of wrong)
    expect(() => createMysqlEventStore(options)).toThrow(expect.toSatisfy(isInvalidArgumentError))
})

it.each([
  [{ url: 'mysql://x/y' }, 'url', "did you mean 'uri'?"],
  [{ uri: 'mysql://x/y', tableprefix: 'a' }, 'tableprefix', "did you mean 'tablePrefix'?"],
  [undefined, 'uri', 'give a URI'],
])('of mistyped options the right one is named: %j', (options, argument, message) => {
  expect(() => createMysqlEventStore(options as object)).toThrow(
    expect.objectContaining({ argument, message: expect.stringContaining(message) as string }),
  )
})
