import { newEvent } from '@varve/core'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()
const some = (count: number) => Array.from({ length: count }, () => newEvent({ type: 't', data: 0 }))

test('a stream that was there once is made anew, by one event, by several, and beside others', async () => {
  const { store, schema } = await fresh()
  const streams = ['one', 'several', 'beside', 'others']
  for (const stream of streams) {
    await store.append(stream, some(1))
    await store.append(stream, some(1))
  }
  await owner().query(
    `begin; set local varve.maintenance = on; delete from ${schema}.events; delete from ${schema}.event_streams; commit`,
  )
  const appended = [await store.append('one', some(1)), await store.append('several', some(3))]
  appended.push(...(await Promise.all(['beside', 'others'].map((stream) => store.append(stream, some(2))))))
  expect(appended.map(({ version }) => version)).toEqual([1, 3, 2, 2])
  expect((await store.verify()).ok).toBe(true)
})
