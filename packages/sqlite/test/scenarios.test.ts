import { defineProjection } from '@varve/core'
import { given } from '@varve/core/testing'
import type { Database } from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'

const stock = defineProjection<Database, { 'stock.added': { item: string; count: number } }>({
  name: 'stock',
  tables: ['stock'],
  setUp: (tx) =>
    tx.client.exec(
      `create table if not exists ${tx.table('stock')} (item text primary key, count int) strict`,
    ),
  handles: {
    'stock.added': ({ data }, tx) =>
      tx.client
        .prepare(
          `insert into ${tx.table('stock')} values (?, ?) on conflict do update set count = count + excluded.count`,
        )
        .run(data.item, data.count),
  },
})

const added = (item: string, count: number) => ({ type: 'stock.added', data: { item, count } })
const all = (client: Database): unknown[] =>
  client.prepare('select item, count from stock order by item').all()

it('a projection can be given events, and its model be looked at', async () => {
  const store = createSqliteEventStore()
  onTestFinished(() => store.close())
  await store.migrate()
  const test = () =>
    given(stock, store).when({ a: [added('lamp', 2), added('desk', 1)], b: [added('lamp', 3)] })
  await test().then(all, [
    { item: 'desk', count: 1 },
    { item: 'lamp', count: 5 },
  ])
  const wrong = given(stock, store)
    .when({})
    .then(all, [{ item: 'desk', count: 1 }])
  await expect(wrong).rejects.toThrow(/the model is not the one expected[\s\S]*lamp/)
})
