import { defineProjection } from '@varve/core'
import { createPostgresEventStore } from '@varve/postgres'
import { createDatabase } from '@varve/test-servers/vitest'
import { Kysely, PostgresDialect } from 'kysely'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { expect, test } from 'vitest'

interface Tables {
  item_moves: { item_id: string; moves: number }
}

// as docs/consumers.md has it
function kyselyOn(client: pg.PoolClient): Kysely<Tables> {
  const connection = {
    query: (text: string, values: unknown[]) => client.query(text, values),
    release: () => undefined,
  } as unknown as PostgresPoolClient
  const pool: PostgresPool = { options: {}, connect: async () => connection, end: async () => undefined }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

test('a query builder on tx.client commits and rolls back with the checkpoint', async () => {
  await using database = await createDatabase('postgres')
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query('create table item_moves (item_id text primary key, moves int not null)')
  const store = createPostgresEventStore({ connectionString: database.url, pool: { max: 4, min: 0 } })
  await store.migrate()
  let failures = 2
  const moves = defineProjection<pg.PoolClient, { moved: { itemId: string } }>({
    name: 'item_moves',
    onError: { retries: 5, backoffMs: 1, then: 'stop' },
    handles: {
      moved: async (event, tx) => {
        await kyselyOn(tx.client)
          .insertInto('item_moves')
          .values({ item_id: event.data.itemId, moves: 1 })
          .onConflict((key) =>
            key.column('item_id').doUpdateSet((row) => ({ moves: row('item_moves.moves', '+', 1) })),
          )
          .execute()
        if (event.version === 3 && failures-- > 0) throw new Error('not yet')
      },
    },
  })
  await store.append(
    'a',
    ['x', 'y', 'x', 'x'].map((itemId) => ({ type: 'moved', data: { itemId } })),
  )
  const runner = store.projections.run([moves])
  await runner.caughtUp()
  const { rows } = await owner.query('select item_id, moves from item_moves order by item_id')
  expect(rows).toEqual([
    { item_id: 'x', moves: 3 },
    { item_id: 'y', moves: 1 },
  ])
  await store.close()
  await owner.end()
})
