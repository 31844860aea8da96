import pg from 'pg'
import { expect, test } from 'vitest'
import type { HintAbout } from '@varve/sql'
import { PostgresHints } from '../src/hints.js'
import { useDatabase } from './store.js'

const { fresh, open, pool, database } = useDatabase()

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** A pool that keeps a list of what its clients are asked. */
function watchedPool(connectionString: string) {
  const asked: { at: number; text: string }[] = []
  class Watched extends pg.Client {
    constructor(settings?: pg.ClientConfig) {
      super(settings)
      // one that is ended may yet be told that its database is dropped
      this.on('error', () => undefined)
      const query = this.query.bind(this) as (...args: unknown[]) => unknown
      const watched = (...args: [string | { text?: string }]): unknown => {
        const [config] = args
        asked.push({ at: performance.now(), text: typeof config === 'string' ? config : (config.text ?? '') })
        return query(...args)
      }
      Object.assign(this, { query: watched })
    }
  }
  const settings: pg.PoolConfig & { Client: typeof pg.Client } = { connectionString, Client: Watched, max: 4 }
  return { pool: new pg.Pool(settings), asked }
}

test('50 idle subscriptions cost one query per tick, and one tick per second', async () => {
  const { schema } = await fresh()
  const { pool: own, asked } = watchedPool(database().url)
  const store = open({ pool: own, schema })
  await store.append('a', [{ type: 't', data: 1 }])
  const controller = new AbortController()
  const given = Array.from({ length: 50 }, () => 0)
  const loops = given.map(async (_, n) => {
    for await (const event of store.subscribe({ signal: controller.signal })) given[n] = event.position
  })
  await until(() => given.every((position) => position > 0))
  // until nothing has happened for so long that they look but seldom
  const isIdle = (): boolean => (asked.at(-1)?.at ?? 0) - (asked.at(-2)?.at ?? 0) > 600
  await until(isIdle)
  const from = asked.length
  await until(() => asked.length >= from + 3)
  const ticks = asked.slice(from - 1)
  expect(new Set(ticks.map(({ text }) => text)).size).toBe(1)
  expect(ticks[0]?.text).toContain('pg_locks')
  const pauses = ticks.slice(1).map(({ at }, index) => at - (ticks[index]?.at ?? 0))
  expect(Math.min(...pauses)).toBeGreaterThan(990)
  controller.abort()
  await Promise.all(loops)
  await store.close()
  await own.end()
}, 30_000)

test('nobody who waits, nothing that is asked', async () => {
  const { schema } = await fresh()
  const { pool: own, asked } = watchedPool(database().url)
  const store = open({ pool: own, schema })
  const controller = new AbortController()
  const loop = (async () => {
    for await (const _ of store.subscribe({ signal: controller.signal })) controller.abort()
  })()
  await store.append('a', [{ type: 't', data: 1 }])
  await loop
  const before = asked.length
  for (let n = 0; n < 20; n++) await store.append('a', [{ type: 't', data: n }])
  // each append is one statement; what tells others goes over a connection of its own
  const { false: others = [], true: notifications = [] } = Object.groupBy(asked.slice(before), ({ text }) =>
    text.includes('pg_notify(') ? 'true' : 'false',
  )
  expect(others.length).toBe(20)
  expect(notifications.length).toBeLessThan(20)
  await store.close()
  await own.end()
})

test('hints arrive without looking, also after the connection that listens was killed, and are held back', async () => {
  const hinting = (): PostgresHints => new PostgresHints('some schema', () => new pg.Client(database().url))
  const [from, to, deaf] = [
    hinting(),
    hinting(),
    new PostgresHints('another', () => new pg.Client(database().url)),
  ]
  const got: HintAbout[] = []
  to.listen((about) => got.push(about))
  deaf.listen((about) => about === 'log' || got.push(about))
  // one of each when it begins to listen: something may have been sent before
  await until(() => got.length >= 2)
  got.length = 0
  from.send('log')
  await until(() => got.length >= 1)
  from.send('projections')
  await until(() => got.includes('projections'))

  got.length = 0
  await pool().query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and query ilike 'listen%'`,
    [database().name],
  )
  await until(() => got.length >= 2)
  got.length = 0
  const before = performance.now()
  while (performance.now() - before < 100) {
    from.send('log')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => got.length >= 2)
  expect(got.length).toBeLessThan(15)
  await Promise.all([from.close(), to.close(), deaf.close()])
})

test('an append reaches a subscriber of another store long before the next look', async () => {
  const { store, schema } = await fresh()
  const other = open({ schema })
  const controller = new AbortController()
  const latencies: number[] = []
  let sentAt = 0
  const loop = (async () => {
    for await (const event of other.subscribe({ signal: controller.signal })) {
      if (event.data !== 'idle') latencies.push(performance.now() - sentAt)
    }
  })()
  for (let n = 1; n <= 40; n++) {
    sentAt = performance.now()
    await store.append('a', [{ type: 't', data: n }])
    await until(() => latencies.length === n)
  }
  controller.abort()
  await loop
  const median = latencies.toSorted((a, b) => a - b)[20]
  expect(median).toBeLessThan(20)
})
