import { createDatabase } from '@varve/test-servers/vitest'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

it('should_snapshot() compares the gap, with no snapshot counting as one at 0', async () => {
  await using database = await createDatabase('postgres')
  const store = createPostgresEventStore({ connectionString: database.url, schema: "it's" })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await store.migrate()
    const due = async (version: number, ...every: number[]): Promise<unknown> => {
      const params = ['default', 'a', version, ...every]
      const text = `select "it's".should_snapshot(${params.map((_, index) => `$${index + 1}`).join(', ')}) as due`
      return (await client.query<{ due: unknown }>(text, params)).rows[0]?.due
    }
    expect([await due(1), await due(99), await due(100), await due(137)]).toEqual([false, false, true, true])
    expect([await due(9, 10), await due(10, 10)]).toEqual([false, true])

    const events = Array.from({ length: 250 }, () => ({ type: 'counted', data: {} }))
    await store.append('a', events)
    await store.forTenant('other').append('a', events)
    await store.forTenant('other').snapshots.save('a', { version: 250, state: 0 })
    await store.snapshots.save('a', { version: 137, state: 0 })
    // a batch that jumped over 200 is due as soon as the gap is there, and not before
    expect([await due(201), await due(236), await due(237), await due(250)]).toEqual([
      false,
      false,
      true,
      true,
    ])
  } finally {
    await client.end()
    await store.close()
  }
})
