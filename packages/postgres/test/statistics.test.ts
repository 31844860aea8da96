import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, pool } = useDatabase()

test('the tables are analysed early in their life, so that pages of a tenant are read in order', async () => {
  const { store, schema } = await fresh()
  const events = Array.from({ length: 500 }, (_, n) => ({ type: 't', data: n }))
  for (const stream of ['a', 'b', 'c', 'd']) await store.append(stream, events)
  const analysed = async () =>
    (
      await pool().query(
        `select reltuples >= 1000 as yes from pg_class where oid = '"${schema}".events'::regclass`,
      )
    ).rows
  await expect.poll(analysed).toEqual([{ yes: true }])
  const { rows } = await pool().query<{ 'QUERY PLAN': string }>(
    `explain select * from "${schema}".events
     where position > 100 and position <= 900000 and tenant_id = 'default' order by position limit 1000`,
  )
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('Sort')
})
