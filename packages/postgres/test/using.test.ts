import { newEvent } from '@varve/core'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()

const one = [{ type: 't', data: 0 }]

test.each(['repeatable read', 'serializable'])(
  'in a %s transaction, an id stored meanwhile is a conflict: the transaction is to be run again',
  async (level) => {
    const { store } = await fresh()
    await store.append('mine', one)
    const client = await owner().connect()
    await client.query(`begin isolation level ${level}`)
    const tx = store.using(client)
    expect((await tx.getStream('mine'))?.version).toBe(1)
    const event = newEvent({ type: 't', data: 1 })
    await store.append('other', [event])
    await expect(tx.append('mine', [event])).rejects.toMatchObject({ code: 'VARVE_TRANSACTION_CONFLICT' })
    expect((await tx.append('mine', one)).version).toBe(2)
    await client.query('commit')
    client.release()
    expect(await store.verify()).toMatchObject({ ok: true, events: 3 })
  },
)

test('a client that is in no transaction is refused', async () => {
  const { store } = await fresh()
  const client = await owner().connect()
  await expect(store.using(client).append('s', one)).rejects.toMatchObject({
    code: 'VARVE_INVALID_ARGUMENT',
    argument: 'client',
  })
  client.release()
  expect(await store.readAll().count()).toBe(0)
})

test('appends that fail leave no savepoint behind', async () => {
  const { store } = await fresh()
  await store.transaction(async (tx) => {
    await tx.append('s', one)
    await expect(tx.append('s', one, { expectedVersion: 7 })).rejects.toMatchObject({
      code: 'VARVE_CONCURRENCY',
    })
    await tx.client.query('savepoint mine')
    await expect(tx.client.query('rollback to savepoint varve_append')).rejects.toMatchObject({
      code: '3B001',
    })
    await tx.client.query('rollback to savepoint mine')
  })
  expect(await store.readAll().count()).toBe(1)
})
