import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import { createDatabase } from '@varve/test-servers/vitest'
import { expect, it } from 'vitest'
import { runRetention } from '../src/retention.ts'

it('spreads events over 26 months, keeps 24, and refuses the duplicate of another month', async () => {
  await using database = await createDatabase('postgres')
  const store = createPartitionedPostgresEventStore({ connectionString: database.url, schema: 'kept' })
  const lines: string[] = []
  const ok = await runRetention({ store, schema: 'kept', write: (line) => lines.push(line) })
  await store.close()
  expect({ ok, lines }).toMatchObject({ ok: true })
  expect(lines.filter((line) => line.startsWith('ok')).length).toBeGreaterThan(9)
})
