import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()

const one = [{ type: 't', data: 0 }]

test('streams that somebody holds do not keep the appends to others waiting', async () => {
  const { store } = await fresh()
  const held = ['held-1', 'held-2', 'held-3']
  for (const stream of held) await store.append(stream, one)
  const waiting: Promise<unknown>[] = []
  await store.transaction(async (tx) => {
    await tx.appendMany(held.map((streamId) => ({ streamId, events: one })))
    for (const stream of held) waiting.push(store.append(stream, one))
    for (let round = 0; round < 20; round++) {
      waiting.push(store.append('held-1', one))
      await Promise.all(['a', 'b', 'c', 'd'].map((stream) => store.append(`${stream}-${round}`, one)))
    }
  })
  await Promise.all(waiting)
  expect((await store.getStream('held-1'))?.version).toBe(23)
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
})

test('a stream that somebody has made and not committed does not keep the appends to others waiting', async () => {
  const { store } = await fresh({ statementTimeoutMs: 5_000 })
  await store.append('known', one)
  let waiting: Promise<unknown> = Promise.resolve()
  await store.transaction(async (tx) => {
    await tx.append('new', one)
    for (let round = 0; round < 3; round++) {
      // called together, they go out together
      const others = ['known', `a-${round}`, `b-${round}`].map((stream) => store.append(stream, one))
      waiting = Promise.all([waiting, store.append('new', one)])
      others.push(store.append(`c-${round}`, one))
      await Promise.all(others)
    }
  })
  await waiting
  expect((await store.readStream('new').toArray()).map((event) => event.version)).toEqual([1, 2, 3, 4])
  expect((await store.getStream('known'))?.version).toBe(4)
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
})

test('callers who append to a held stream together are told together, each after the time of one statement', async () => {
  const { store } = await fresh({ statementTimeoutMs: 400 })
  for (const stream of ['a', 'b']) await store.append(stream, one)
  const client = await owner().connect()
  await client.query('begin')
  await store.using(client).append('a', one)
  const begun = performance.now()
  const outcomes = await Promise.allSettled([
    store.append('b', one),
    ...Array.from({ length: 8 }, () => store.append('a', one)),
  ])
  const took = performance.now() - begun
  await client.query('commit')
  client.release()
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', ...Array<string>(8).fill('rejected')])
  expect(took).toBeLessThan(1_500)
})
