import { dumpPostgresSchema } from '@varve/test-servers'
import { createDatabase } from '@varve/test-servers/vitest'
import { expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

it('is what schema.sql says; `vitest run --project postgres schema -u` writes it anew', async () => {
  await using database = await createDatabase('postgres')
  const store = createPostgresEventStore({ connectionString: database.url, schema: 'golden' })
  await store.migrate()
  await store.close()
  const head =
    "-- What the migrations come to, written by test/schema.test.ts from a server's catalogues; do not edit.\n\n"
  await expect(head + (await dumpPostgresSchema(database.url, 'golden'))).toMatchFileSnapshot('../schema.sql')
})
