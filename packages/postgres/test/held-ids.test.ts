import { newEvent } from '@varve/core'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()

test('an id that somebody has appended and not committed does not keep the appends of others waiting', async () => {
  const { store } = await fresh({ statementTimeoutMs: 1_500 })
  const one = () => [newEvent({ type: 't', data: 0 })]
  for (const stream of ['a', 'b', 'c']) await store.append(stream, one())
  const client = await owner().connect()
  await client.query('begin')
  const [taken] = one()
  if (taken === undefined) return
  await store.using(client).append('held', [taken])
  const same = store.append('a', [taken]).catch((error: unknown) => error)
  const others = await Promise.allSettled([store.append('b', one()), store.append('c', one())])
  await client.query('commit')
  client.release()
  expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(await same).toMatchObject({ code: 'VARVE_DUPLICATE_EVENT' })
})
