import { dumpPostgresSchema } from '@varve/test-servers'
import { expect, it } from 'vitest'
import { useDatabase } from './store.js'

const { open, owner, database } = useDatabase()

it('is what schema.sql says; `vitest run --project postgres-partitioned schema -u` writes it anew', async () => {
  const store = open({ schema: 'golden' })
  await store.migrate()
  // those of the months bear the names of the day
  for (const { name, state } of await store.partitions.list()) {
    if (state === 'open') await owner().query(`drop table golden.${name}`)
  }
  await store.partitions.create('2031-01')
  const head =
    "-- What the migrations come to, written by test/schema.test.ts from a server's catalogues; do not edit.\n\n"
  await expect(head + (await dumpPostgresSchema(database().url, 'golden'))).toMatchFileSnapshot(
    '../schema.sql',
  )
})
