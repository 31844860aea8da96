import { defineProjection } from '@varve/core'
import type { Database } from 'better-sqlite3'
import { expect, it } from 'vitest'
import { useStores } from './stores.js'

const { migrated, database } = useStores()

const place = (order: string) => [{ type: 'placed', data: { order } }]

it('a reset moves the checkpoint and forgets what was parked behind it, or does neither', async () => {
  const client = database()
  const store = await migrated({ database: client })
  const projection = defineProjection<Database>({
    name: 'failing',
    onError: 'park',
    handles: {
      placed: () => {
        throw new Error('on purpose')
      },
    },
  })
  await store.append('a', place('a'))
  await store.append('b', place('b'))
  await using runner = store.projections.run([projection], { onError: () => undefined })
  await runner.caughtUp()
  client.exec(`create trigger gone before delete on parked_events begin select raise(abort, 'gone'); end`)
  await expect(store.projections.reset('failing', 0)).rejects.toThrow(/gone/)
  expect(await store.projections.get('failing')).toMatchObject({ lastPosition: 2, parkedEvents: 2 })
  client.exec('drop trigger gone')
  await store.projections.reset('failing', 0)
  await runner.caughtUp()
  expect(await store.projections.get('failing')).toMatchObject({ lastPosition: 2, parkedEvents: 2 })
})
