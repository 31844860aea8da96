import { defineProjection } from '@varve/core'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()

test('rows that move all the time stay on their page, and leave no index behind', async () => {
  const { store, schema } = await fresh()
  const events = Array.from({ length: 500 }, (_, data) => ({ type: 'counted', data }))
  const projection = defineProjection({ name: 'counted', handles: { counted: () => undefined } })
  const runner = store.projections.run([projection], { checkpointEvery: 1 })
  for (const event of events) await store.append('a', [event])
  await runner.caughtUp()
  await runner.stop()
  await store.close()
  // counters are handed in when a session ends, or a while after
  const updates = async (table: string) => {
    const { rows } = await owner().query<{ updated: number; hot: number; bytes: number }>(
      'select n_tup_upd::int as updated, n_tup_hot_upd::int as hot, pg_relation_size(relid)::int as bytes ' +
        'from pg_stat_all_tables where schemaname = $1 and relname = $2',
      [schema, table],
    )
    return rows[0]
  }
  for (const table of ['projection_checkpoints', 'event_streams']) {
    await expect.poll(async () => (await updates(table))?.updated, { timeout: 15_000 }).toBeGreaterThan(400)
    const { updated = 0, hot = 0, bytes = 0 } = (await updates(table)) ?? {}
    expect(hot / updated, table).toBeGreaterThan(0.95)
    expect(bytes, table).toBeLessThan(20 * 8_192)
  }
})
