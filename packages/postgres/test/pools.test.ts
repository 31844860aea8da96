import { hash } from 'node:crypto'
import { newEvent } from '@varve/core'
import { startProxy } from '@varve/test-servers'
import pg from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, open, pool, database } = useDatabase()

test('a pool with a query_timeout: what the server refuses is told at once, and what takes too long leaves doubt', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const own = new pg.Pool({ connectionString: proxy.url, query_timeout: 700, max: 3 })
  own.on('error', () => undefined)
  const store = open({ pool: own, schema, retry: false, statementTimeoutMs: 5_000 })
  const [one, two] = [newEvent({ type: 't', data: 0 }), newEvent({ type: 't', data: 1 })]
  await store.append('a', [one])
  const begun = performance.now()
  await expect(store.append('b', [one])).rejects.toMatchObject({ code: 'VARVE_DUPLICATE_EVENT' })
  expect(performance.now() - begun).toBeLessThan(600)
  proxy.pause()
  await expect(store.append('a', [two])).rejects.toMatchObject({ outcome: 'unknown' })
  expect(performance.now() - begun).toBeLessThan(3_000)
  proxy.resume()
  const committing = store.transaction(async (tx) => {
    await tx.append('c', [newEvent({ type: 't', data: 2 })])
    proxy.pause()
  })
  await expect(committing).rejects.toMatchObject({ outcome: 'unknown' })
  proxy.resume()
  expect((await store.append('a', [two])).version).toBe(2)
  await store.close()
  await own.end()
  await proxy.stop()
})

test('prepared statements that a pooler forgot are given up inside of transactions too', async () => {
  const { schema } = await fresh()
  const own = new pg.Pool({ connectionString: database().url, max: 1 })
  const store = open({ pool: own, schema })
  const append = () => store.transaction((tx) => tx.append('s', [{ type: 't', data: 0 }]), { retries: 1 })
  await append()
  for (let round = 0; round < 3; round++) {
    await own.query('deallocate all')
    await append()
  }
  expect(await store.readStream('s').count()).toBe(4)
  await store.close()
  await own.end()
})

test('prepared statements that a pooler forgot are given up in a transaction of the callers', async () => {
  const { schema } = await fresh()
  const own = new pg.Pool({ connectionString: database().url, max: 1 })
  const store = open({ pool: own, schema })
  const client = await own.connect()
  const append = async () => {
    await client.query('begin')
    const tx = store.using(client)
    await tx.append('s', [{ type: 't', data: 0 }]).catch(() => tx.append('s', [{ type: 't', data: 0 }]))
    await client.query('commit')
  }
  await append()
  await client.query('deallocate all')
  await append()
  client.release()
  expect(await store.readStream('s').count()).toBe(2)
  await store.close()
  await own.end()
})

test('a store that listens is closed in bounded time when the network hangs', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const store = open({ connectionString: proxy.url, schema })
  await store.append('s', [{ type: 't', data: 0 }])
  for await (const event of store.subscribe()) if (event.version === 1) break
  // its connection says nothing by itself
  const listening = 'select 1 from pg_stat_activity where datname = $1 and query like $2'
  const channel = hash('sha256', schema).slice(0, 24)
  const rows = async () => (await pool().query(listening, [database().name, `%varve_${channel}%`])).rows
  await expect.poll(rows).toHaveLength(1)
  proxy.pause()
  await store.close()
  await proxy.stop()
}, 15_000)
