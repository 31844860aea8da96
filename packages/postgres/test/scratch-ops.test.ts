import { createDatabase } from '@varve/test-servers/vitest'
import { expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

it('works', async () => {
  await using database = await createDatabase('postgres')
  const store = createPostgresEventStore({ connectionString: database.url })
  console.log(await store.health(), await store.migrations())
  await store.migrate()
  await store.migrate({ indexes: ['tags'] })
  console.log(await store.statistics())
  await store.append('a', [{ type: 'x.a', data: { a: 1, b: '€' } }, { type: 'x.b', data: null }])
  await store.append('b', [{ type: 'x.a', data: { a: 1, b: '€' } }], { streamType: 'acc' })
  await store.forTenant('t').append('b', [{ type: 'x.a', data: { a: 1e21, b: '€' } }], { streamType: 'acc' })
  console.dir(await store.statistics(), { depth: 5 })
  console.dir(await store.allTenants().statistics(), { depth: 5 })
  console.dir(await store.verify())
  console.dir(await store.allTenants().verify())
  console.dir(await store.health(), await store.migrations())
  await store.close()
})
