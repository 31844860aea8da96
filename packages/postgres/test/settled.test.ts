import { startPostgres } from '@varve/test-servers'
import pg from 'pg'
import { expect, test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import { useDatabase } from './store.js'

// The rules of reading without skipping, each with what would break it.

const { fresh, open, pool, owner, database } = useDatabase()

const one = [{ type: 't', data: 0 }]

/** A transaction on a client of its own that has appended, and stays open. */
async function held(store: ReturnType<typeof open>, streamId = 'held') {
  const client = await owner().connect()
  await client.query('begin')
  const { position } = await store.using(client).append(streamId, one)
  const end = (how: string) => async () => {
    await client.query(how)
    client.release()
  }
  return { client, position, commit: end('commit'), rollback: end('rollback') }
}

test('a position handed out but not committed holds the settled position back, a rollback lets it go on', async () => {
  const { store } = await fresh()
  await store.append('s', one)
  const tx = await held(store)
  const after = await store.append('s', one)
  expect(after.position).toBeGreaterThan(tx.position)
  expect(await store.lastPosition()).toBe(after.position)
  expect(await store.settledPosition()).toBeLessThan(tx.position)
  await tx.rollback()
  expect(await store.settledPosition()).toBe(after.position)
})

test('savepoints, one rolled back, count as their transaction', async () => {
  const { store } = await fresh()
  await store.append('s', one)
  const client = await pool().connect()
  await client.query('begin; savepoint a')
  const tx = store.using(client)
  await tx.append('x', one)
  await client.query('rollback to savepoint a; savepoint b')
  const kept = await tx.append('y', one)
  const after = await store.append('s', one)
  expect(await store.settledPosition()).toBeLessThan(kept.position)
  await client.query('commit')
  client.release()
  expect(await store.settledPosition()).toBe(after.position)
  expect((await store.readAll().toArray()).map((event) => event.position)).toEqual([
    1,
    kept.position,
    after.position,
  ])
})

test('an unrelated long transaction, writing, delays nothing', async () => {
  const { store } = await fresh()
  const client = await pool().connect()
  await client.query('create table unrelated (n int)')
  await client.query('begin; insert into unrelated values (1)')
  const { position } = await store.append('s', one)
  expect(await store.settledPosition()).toBe(position)
  await client.query('rollback; drop table unrelated')
  client.release()
})

test('a transaction in another schema of the same server delays nothing', async () => {
  const { store } = await fresh()
  const other = await fresh()
  const tx = await held(other.store)
  const { position } = await store.append('s', one)
  expect(await store.settledPosition()).toBe(position)
  await tx.rollback()
})

test('a prepared transaction counts, also under the other name that a restart gives it', async () => {
  await using server = await startPostgres({ settings: { max_prepared_transactions: '5' } })
  const store = createPostgresEventStore({ connectionString: server.url })
  await store.migrate()
  await store.append('s', one)
  expect(await store.settledPosition()).toBe(1)
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('begin')
  const { position } = await store.using(client as never).append('prepared', one)
  const { position: high } = await store.append('s', one)
  expect(await store.settledPosition()).toBeLessThan(position)
  await client.query(`prepare transaction 'p'`)
  expect(await store.settledPosition()).toBeLessThan(position)
  await server.restart()
  await expect.poll(() => store.settledPosition().catch(() => undefined)).toBe(1)
  expect(await store.settledPosition()).toBeLessThan(position)
  await expect(store.readAll({ waitForSettledMs: 20 }).toArray()).rejects.toMatchObject({
    code: 'VARVE_UNAVAILABLE',
    blocker: { detail: expect.stringContaining('prepared') as string },
  })
  const again = new pg.Client({ connectionString: server.url })
  await again.connect()
  await again.query(`commit prepared 'p'`)
  await again.end()
  expect(await store.settledPosition()).toBe(high)
  expect(await store.readAll().count()).toBe(3)
  await store.close()
})

test('a reader that has to wait too long is told by whom', async () => {
  const { store } = await fresh()
  await store.append('s', one)
  expect(await store.settledPosition()).toBe(1)
  const tx = await held(store)
  await store.append('s', one)
  const { rows } = await tx.client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const seen: number[] = []
  const reading = (async () => {
    for await (const event of store.readAll({ waitForSettledMs: 30 })) seen.push(event.position)
  })()
  await expect(reading).rejects.toMatchObject({
    code: 'VARVE_UNAVAILABLE',
    blocker: { pid: rows[0]?.pid, ageMs: expect.any(Number) as number },
  })
  expect(seen).toEqual([1]) // what was settled had been handed out
  await tx.commit()
  expect(await store.readAll().count()).toBe(3)
})

test('closing the store waits for a read that waits for an append under way', async () => {
  const { store, schema } = await fresh()
  const other = open({ schema })
  const tx = await held(store)
  await store.append('s', one)
  const reading = store.readAll().count()
  const closed = store.close()
  // so long that the read has looked again since
  await expect(other.readAll({ waitForSettledMs: 200 }).count()).rejects.toThrow('not settled')
  await tx.commit()
  expect(await reading).toBe(2)
  await closed
})

test('a store that is opened while somebody appends knows what was settled before', async () => {
  const { store, schema } = await fresh()
  await store.append('s', one)
  expect(await store.settledPosition()).toBe(1)
  const noted = async () =>
    (
      await pool().query<{ value: string }>(
        `select value from "${schema}".varve_meta where name = 'settled_position'`,
      )
    ).rows
  await expect.poll(noted).toEqual([{ value: '1' }])
  const tx = await held(store)
  const later = open({ schema })
  expect(await later.settledPosition()).toBe(1)
  expect((await later.readAll({ limit: 1 }).toArray()).map((event) => event.position)).toEqual([1])
  await tx.rollback()
})

test('what is acknowledged is durable, also where the session says otherwise', async () => {
  const { schema } = await fresh()
  const own = new pg.Pool({ connectionString: database().url, max: 1, options: '-c synchronous_commit=off' })
  const store = open({ pool: own, schema })
  const client = await own.connect()
  await client.query('begin')
  await store.using(client).append('s', one)
  expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }])
  await client.query('commit')
  expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }])
  client.release()
  await store.close()
  await own.end()
})

test('the sequence hands positions out one by one', async () => {
  const { schema } = await fresh()
  const { rows } = await pool().query(
    `select cache_size from pg_sequences where schemaname = $1 and sequencename = 'events_position_seq'`,
    [schema],
  )
  expect(rows).toEqual([{ cache_size: '1' }])
})

test('a storm of writers with transactions held open: a follower sees everything once, in order', async () => {
  const { store, schema } = await fresh()
  const reader = open({ schema })
  const total = 400
  let committed = 0
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; n < total / 8; n++) {
      if (n % 5 === 0) {
        await store.transaction(async (tx) => {
          await tx.append(`w${writer}`, one)
          await tx.client.query('select pg_sleep(0.005)') // holds its position while others commit later ones
        })
      } else await store.append(`w${writer}`, one)
      committed++
    }
  })
  const seen: number[] = []
  while (committed < total || seen.length < total) {
    for await (const event of reader.readAll({ after: seen.at(-1) ?? 0 })) seen.push(event.position)
  }
  await Promise.all(writers)
  expect(seen).toHaveLength(total)
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
})
