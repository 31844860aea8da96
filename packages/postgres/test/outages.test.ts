import { isStoreUnavailableError, newEvent } from '@varve/core'
import type { AppendResult, EventStore } from '@varve/core'
import { startPostgres, startProxy } from '@varve/test-servers'
import pg from 'pg'
import { expect, test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import { useDatabase } from './store.js'

const { fresh, open, pool, database } = useDatabase()

/** Keeps appending with fixed ids until told to stop; resends what got no answer. */
function traffic(store: EventStore, callers: number) {
  let running = true
  const acknowledged = new Map<string, AppendResult>()
  const unexpected: unknown[] = []
  let given = 0
  const done = Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let n = 0; running; n++) {
        const event = newEvent({ type: 'counted', data: { caller, n } })
        for (let answered = false; !answered;) {
          try {
            acknowledged.set(event.id, await store.append(`stream-${caller % 5}`, [event]))
            answered = true
          } catch (error) {
            given++
            if (!isStoreUnavailableError(error)) {
              unexpected.push(error)
              return
            }
          }
        }
      }
    }),
  )
  return {
    acknowledged,
    unexpected,
    errors: () => given,
    async stop() {
      running = false
      await done
    },
  }
}

async function expectStoredOnce(
  store: EventStore,
  acknowledged: ReadonlyMap<string, AppendResult>,
): Promise<void> {
  const stored = new Map<string, number>()
  for await (const event of store.readAll()) {
    expect(stored.has(event.id), `event ${event.id} twice`).toBe(false)
    stored.set(event.id, event.position)
  }
  for (const [id, result] of acknowledged) expect(stored.get(id)).toBe(result.position)
  expect(stored.size).toBe(acknowledged.size)
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('backends killed in the middle of flushes: callers see nothing, nothing is stored twice or lost', async () => {
  const { store } = await fresh()
  const load = traffic(store, 32)
  for (let round = 1; round <= 15; round++) {
    await until(() => load.acknowledged.size > round * 60)
    await pool().query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'varve' and datname = $1`,
      [database().name],
    )
  }
  await load.stop()
  expect(load.unexpected).toEqual([])
  expect(load.errors()).toBe(0)
  await expectStoredOnce(store, load.acknowledged)
})

test('the whole server killed in the middle of flushes and started again', async () => {
  await using server = await startPostgres()
  const store = createPostgresEventStore({ connectionString: server.url })
  await store.migrate()
  const load = traffic(store, 32)
  for (let round = 1; round <= 2; round++) {
    const before = load.acknowledged.size
    await until(() => load.acknowledged.size > before + 200)
    await server.kill()
    await server.restart()
  }
  const before = load.acknowledged.size
  await until(() => load.acknowledged.size > before + 100)
  await load.stop()
  expect(load.unexpected).toEqual([])
  await expectStoredOnce(store, load.acknowledged)
  await store.close()
})

test('a server that is away gives a retryable error, also to those who queue, and the store works when it is back', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const store = open({ connectionString: proxy.url, schema, retry: { attempts: 3, baseDelayMs: 10 } })
  await store.append('s', [{ type: 't', data: 0 }])
  await proxy.refuse()
  proxy.dropConnections()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, n) => store.append(`s${n % 3}`, [{ type: 't', data: n }])),
  )
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'VARVE_UNAVAILABLE', retryable: true },
    })
  }
  await expect(store.readStream('s').toArray()).rejects.toMatchObject({ code: 'VARVE_UNAVAILABLE' })
  expect(await store.health()).toMatchObject({ status: 'down' })
  await proxy.accept()
  await store.append('s', [{ type: 't', data: 1 }])
  expect(await store.readAll().count()).toBe(2)
  expect(await store.health()).toMatchObject({ status: 'ok' })
  await proxy.stop()
})

test('a network that hangs gives an unknown outcome, and resending the same ids stores once', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const store = open({ connectionString: proxy.url, schema, statementTimeoutMs: 50, retry: false })
  await store.append('s', [{ type: 't', data: 0 }])
  proxy.pause()
  const event = newEvent({ type: 't', data: 1 })
  await expect(store.append('s', [event])).rejects.toMatchObject({
    code: 'VARVE_UNAVAILABLE',
    outcome: 'unknown',
    eventIds: [event.id],
  })
  proxy.resume()
  await store.append('s', [event])
  expect((await store.append('s', [event])).duplicate).toBe(true)
  expect(await store.readStream('s').count()).toBe(2)
  await proxy.stop()
})

test('prepared statements that a pooler forgot are given up by the store itself', async () => {
  const { schema } = await fresh()
  const own = new pg.Pool({ connectionString: database().url, max: 1 })
  const store = open({ pool: own, schema })
  await store.append('s', [{ type: 't', data: 0 }])
  await own.query('deallocate all')
  await store.append('s', [{ type: 't', data: 1 }])
  expect((await store.readStream('s').toArray()).map((event) => event.data)).toEqual([0, 1])
  await own.query('deallocate all')
  expect(await store.readStream('s').count()).toBe(2)
  await store.close()
  expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await own.end()
})

test('ids that the store made itself: what was stored by a lost try is answered as stored by this call', async () => {
  const { store } = await fresh()
  const results: AppendResult[] = []
  let running = true
  const callers = Array.from({ length: 16 }, async (_, caller) => {
    while (running) results.push(await store.append(`stream-${caller}`, [{ type: 't', data: caller }]))
  })
  for (let round = 1; round <= 10; round++) {
    await until(() => results.length > round * 40)
    await pool().query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'varve' and datname = $1`,
      [database().name],
    )
  }
  running = false
  await Promise.all(callers)
  expect(results.every((result) => !result.duplicate)).toBe(true)
  expect(await store.readAll().count()).toBe(results.length)
  expect(new Set(results.map((result) => result.position)).size).toBe(results.length)
})

test('a network that hangs keeps no transaction waiting for ever, and the store can be closed', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const options = { connectionString: proxy.url, schema, statementTimeoutMs: 50, acquireTimeoutMs: 300 }
  const store = open({ ...options, retry: { attempts: 2, maxElapsedMs: 500 } })
  const one = [{ type: 't', data: 0 }]
  await store.append('s', one)
  const during = async (call: () => Promise<unknown>) => {
    await expect(call()).rejects.toMatchObject({ code: 'VARVE_UNAVAILABLE' })
    proxy.resume()
    await store.append('s', one)
  }
  const many = () => {
    proxy.pause()
    return store.appendMany(['a', 'b'].map((streamId) => ({ streamId, events: one })))
  }
  await during(many)
  const inWork = () => store.transaction(async (tx) => (proxy.pause(), tx.append('s', one)))
  await during(inWork)
  const atCommit = () =>
    store.transaction(async (tx) => {
      await tx.append('s', one)
      proxy.pause()
    })
  await during(atCommit)
  proxy.pause()
  const last = store.transaction((tx) => tx.append('s', one)).catch(() => undefined)
  await Promise.all([last, store.close()])
  await proxy.stop()
}, 60_000)

test('a commit whose answer was lost leaves doubt, also when no event was in it', async () => {
  const { schema } = await fresh()
  const proxy = await startProxy({ target: database().url })
  const store = open({ connectionString: proxy.url, schema })
  const committing = store.transaction(async ({ client }) => {
    await client.query(`create table "${schema}".mine (n int)`)
    proxy.loseNextAnswer()
  })
  await expect(committing).rejects.toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'unknown' })
  await expect.poll(async () => (await pool().query(`select from "${schema}".mine`)).rows).toEqual([])
  await proxy.stop()
})

test('an error names the ids of its own call, not of those that shared a flush', async () => {
  const store = open({ connectionString: 'postgres://varve@127.0.0.1:1/varve', retry: false })
  const calls = ['a', 'b', 'c'].map((tenantId) => {
    const event = newEvent({ type: 't', data: 0 })
    return {
      event,
      outcome: store
        .forTenant(tenantId)
        .append('s', [event])
        .catch((error: unknown) => error),
    }
  })
  for (const { event, outcome } of calls) {
    expect(await outcome).toMatchObject({ code: 'VARVE_UNAVAILABLE', eventIds: [event.id] })
  }
})
