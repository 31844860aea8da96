import { isMigrationError, newEvent } from '@varve/core'
import { createDatabaseOn, startMariadb, startMysql } from '@varve/test-servers'
import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { createMysqlEventStore } from '../src/index.js'
import { families, one } from './store.js'

const start = { mysql: startMysql, mariadb: startMariadb }

const settings = {
  'log-bin-trust-function-creators': '0',
  'max-allowed-packet': '1M',
  'default-time-zone': '+05:30',
  'character-set-server': 'latin1',
  'collation-server': 'latin1_swedish_ci',
  'transaction-isolation': 'SERIALIZABLE',
  'sql-mode': 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT',
  'auto-increment-increment': '3',
  'auto-increment-offset': '2',
}

it.each(families)(
  'a %s server with settings of all kinds, that dies',
  { timeout: 180_000 },
  async (family) => {
    await using server = await start[family]({ settings })
    await using database = await createDatabaseOn(server)
    const retry = { attempts: 1_000, baseDelayMs: 20, maxElapsedMs: 60_000 }
    const store = createMysqlEventStore({ uri: database.url, retry, acquireTimeoutMs: 60_000 })

    // triggers need a right that an ordinary owner lacks
    const refused: unknown = await store.migrate().catch((error: unknown) => error)
    expect(refused).toSatisfy(isMigrationError)
    expect(String(refused)).toContain('log_bin_trust_function_creators = 1')
    expect(await store.migrations()).not.toContainEqual(expect.objectContaining({ state: 'applied' }))
    const admin = await createConnection({ uri: server.adminUrl })
    await admin.query('set global log_bin_trust_function_creators = 1')
    await store.migrate()
    expect((await store.migrations()).every(({ state }) => state === 'applied')).toBe(true)

    // names byte by byte and times in UTC, whatever the server's defaults
    const before = Date.now()
    for (const id of ['Order-1', 'order-1', 'order-1 ', 'ördér-1', 'o\u0308rder-1', '😀']) {
      expect((await store.append(id, one(), { expectedVersion: 0 })).version).toBe(1)
      expect((await store.append(id, one(), { expectedVersion: 1 })).version).toBe(2)
    }
    const all = await store.readAll().toArray()
    expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => 2 + 3 * index))
    for (const { recordedAt } of all) expect(Math.abs(recordedAt.getTime() - before)).toBeLessThan(60_000)
    const many = await store.append(
      'many',
      Array.from({ length: 100 }, () => one()[0] ?? { type: 'a', data: 1 }),
    )
    expect(many.events).toEqual(await store.readStream('many').toArray())

    // flushes are cut by what the server takes in one packet
    const big = 'é'.repeat(450_000)
    const streams = Array.from({ length: 8 }, (_, n) => ({
      streamId: `big-${n}`,
      events: [{ type: 'big', data: big }],
    }))
    const results = await store.appendMany(streams)
    expect(results.map(({ version }) => version)).toEqual(streams.map(() => 1))
    expect((await store.readStream('big-7').first())?.data).toBe(big)
    const tooBig = store.append('big-0', [{ type: 'big', data: 'x'.repeat(1_048_500) }])
    await expect(tooBig).rejects.toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' })
    await expect(tooBig).rejects.toThrow('max_allowed_packet')
    expect((await store.getStream('big-0'))?.version).toBe(1)

    // nor by fewer prepared statements than are wanted
    await admin.query('set global max_prepared_stmt_count = 0')
    const unprepared = createMysqlEventStore({ uri: database.url })
    const half = streams.map(({ streamId }) => ({
      streamId,
      events: [{ type: 'big', data: big.slice(0, 200_000) }],
    }))
    expect((await unprepared.appendMany(half)).map(({ version }) => version)).toEqual(streams.map(() => 2))
    await expect(unprepared.append('big-0', [{ type: 'big', data: big }])).rejects.toThrow(
      'max_allowed_packet',
    )
    await unprepared.append('big-0', one())
    await unprepared.append('big-0', one(), { expectedVersion: 3 })
    expect(await unprepared.readStream('big-0').toArray()).toEqual(await store.readStream('big-0').toArray())
    expect(await unprepared.verify()).toMatchObject({ ok: true })
    await unprepared.close()

    // a server that dies in the midst of flushes, and comes back
    const events = Array.from({ length: 600 }, (_, n) => newEvent({ type: 'tested', data: n }))
    const appends = events.map((event, n) => store.append(`s-${n % 5}`, [event]))
    for (const append of appends) append.catch(() => undefined)
    await appends[0]
    await admin.end()
    await server.kill()
    await server.restart()
    await Promise.all(appends)
    for (const n of [0, 1, 2, 3, 4]) {
      const expected = events.flatMap((event, index) => (index % 5 === n ? [event.id] : []))
      expect((await store.readStream(`s-${n}`).toArray()).map(({ id }) => id)).toEqual(expected)
    }
    const report = await store.verify()
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(await store.readAll().count()).toBe(report.events)
    await store.close()
  },
)
