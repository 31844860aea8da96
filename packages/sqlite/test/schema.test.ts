import { expect, it } from 'vitest'
import { dumpSchema } from './dump-schema.js'
import { useStores } from './stores.js'

const { database, migrated } = useStores()

it('is what schema.sql says; `vitest run --project sqlite schema -u` writes it anew', async () => {
  const own = database()
  await migrated({ database: own })
  const head =
    '-- What the migrations come to, written by test/schema.test.ts from a database; do not edit.\n\n'
  await expect(head + dumpSchema(own)).toMatchFileSnapshot('../schema.sql')
})

it('the views are for people', async () => {
  const own = database()
  const store = await migrated({ database: own })
  const { events } = await store.append('a', [{ type: 'happened', data: 'ä', correlationId: 'c' }], {
    streamType: 'thing',
  })
  await store.append('b', [{ type: 'happened', data: 'abc' }], { streamType: 'thing' })
  const at = events[0]?.recordedAt.toISOString()
  expect(own.prepare('select * from v_event_statistics').all()).toEqual([
    {
      tenant_id: 'default',
      stream_type: 'thing',
      event_type: 'happened',
      event_count: 2,
      avg_size_bytes: 4.5,
      max_size_bytes: 5,
      first_event_at: at,
      last_event_at: expect.stringMatching(/^\d{4}-.*Z$/),
      unique_streams: 2,
    },
  ])
  const recent = own.prepare('select * from v_recent_events order by position').all()
  expect(recent).toHaveLength(2)
  expect(recent[0]).toEqual({
    event_id: events[0]?.id,
    tenant_id: 'default',
    stream_id: 'a',
    stream_type: 'thing',
    event_type: 'happened',
    version: 1,
    position: 1,
    created_at: at,
    correlation_id: 'c',
  })
  own.exec(`update varve_meta set value = value; insert into varve_meta values ('maintenance', 'open')`)
  own.exec('update events set created_at = created_at - 86400001 where position = 1')
  expect(own.prepare('select position from v_recent_events').pluck().all()).toEqual([2])
})

it('each log has an id of its own', async () => {
  const ids = await Promise.all(
    [1, 2].map(async () => {
      const own = database()
      await migrated({ database: own })
      return own.prepare("select value from varve_meta where name = 'log_id'").pluck().get()
    }),
  )
  expect(new Set(ids).size).toBe(2)
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})
