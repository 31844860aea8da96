import pg from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, open, pool, database } = useDatabase()

test('a statement that waits too long is ended by the server', async () => {
  const { store, schema } = await fresh({ statementTimeoutMs: 100 })
  await store.append('s', [{ type: 't', data: 0 }])
  const blocker = await pool().connect()
  await blocker.query(`begin; select * from "${schema}".event_streams for update`)
  await expect(store.append('s', [{ type: 't', data: 1 }])).rejects.toMatchObject({
    code: 'VARVE_UNAVAILABLE',
    outcome: 'not-applied',
  })
  await blocker.query('rollback')
  blocker.release()
  expect((await store.append('s', [{ type: 't', data: 1 }])).version).toBe(2)
})

test('a pool that is used up gives an error after acquireTimeoutMs, and nothing is lost', async () => {
  const { store } = await fresh({ pool: { max: 1 }, acquireTimeoutMs: 100, retry: false })
  await store.transaction(async (tx) => {
    await tx.append('a', [{ type: 't', data: 0 }])
    await expect(store.append('b', [{ type: 't', data: 0 }])).rejects.toMatchObject({
      code: 'VARVE_UNAVAILABLE',
      outcome: 'not-applied',
    })
  })
  expect((await store.append('b', [{ type: 't', data: 0 }])).version).toBe(1)
  expect(await store.readAll().count()).toBe(2)
})

test('the pool opens no more connections than it may, and ends those that lie idle', async () => {
  const { store } = await fresh({ pool: { max: 3, min: 0 }, idleTimeoutMs: 50 })
  await Promise.all(Array.from({ length: 50 }, (_, n) => store.readStream(`s${n}`).toArray()))
  const connections = async (): Promise<number> => {
    const { rows } = await pool().query<{ n: string }>(
      `select count(*) as n from pg_stat_activity where application_name = 'varve' and datname = $1`,
      [database().name],
    )
    return Number(rows[0]?.n)
  }
  expect(await connections()).toBeLessThanOrEqual(3)
  await expect.poll(connections).toBe(0)
})

test('a pool of the caller is used and never ended', async () => {
  const { schema } = await fresh()
  const own = new pg.Pool({ connectionString: database().url, max: 2 })
  const store = open({ pool: own, schema })
  await store.append('s', [{ type: 't', data: 0 }])
  await store.close()
  expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await own.end()
})

test('an error that the work swallowed is not taken for a commit', async () => {
  const { store } = await fresh()
  const attempt = store.transaction(async (tx) => {
    await tx.append('s', [{ type: 't', data: 0 }])
    await tx.client.query('select * from missing').catch(() => undefined)
  })
  await expect(attempt).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT', argument: 'transaction' })
  expect(await store.readAll().count()).toBe(0)
})

test('crosswise transactions: one is told to run again, with retries nobody is', async () => {
  const { store } = await fresh()
  const cross = (first: string, second: string, retries: number) =>
    store.transaction(
      async (tx) => {
        await tx.append(first, [{ type: 't', data: 0 }])
        await tx.append(second, [{ type: 't', data: 0 }])
      },
      { retries },
    )
  await Promise.all([cross('a', 'b', 5), cross('b', 'a', 5)])
  expect(await store.readAll().count()).toBe(4)
})

test.each([
  { connectionString: '' },
  { schema: '' },
  { dataType: 'xml' },
  { poolSize: 3 },
  { connectionString: 'x', pool: {} },
])('nonsense is refused when the store is opened: %o', (options) => {
  const given = { ...('connectionString' in options ? {} : { connectionString: 'postgres://x' }), ...options }
  if ('pool' in options) Object.assign(given, { pool: { connect: () => undefined, end: () => undefined } })
  expect(() => open(given as never)).toThrow(expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT' }))
})
