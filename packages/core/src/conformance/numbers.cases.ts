import assert from 'node:assert/strict'
import { events, holds, refused, same, versionsOf } from './helpers.js'
import { topic } from './topic.js'

export const numbers = topic('numbers', {
  'versions-beyond-32-bits': async ({ store, opened }) => {
    await store.append('a', events(1))
    const where = `tenant_id = '${store.tenantId}' and stream_id = 'a'`
    await opened.tamper(`update ${opened.table('event_streams')} set version = 3000000000 where ${where}`)
    const { version, events: appended } = await store.append('a', events(2), {
      expectedVersion: 3_000_000_000,
    })
    same([version, versionsOf(appended)], [3_000_000_002, [3_000_000_001, 3_000_000_002]])
    same(
      versionsOf(await store.readStream('a', { fromVersion: 2 }).toArray()),
      [3_000_000_001, 3_000_000_002],
    )
    same((await store.getStream('a'))?.version, 3_000_000_002)
    await refused(store.append('a', events(1), { expectedVersion: 3_000_000_001 }), 'VARVE_CONCURRENCY', {
      actualVersion: 3_000_000_002,
    })
  },

  'a-deleted-tail-frees-no-position': async ({ fresh }) => {
    const opened = await fresh()
    const { store } = opened
    const { position } = await store.append('a', events(3))
    await store.maintenance(async (tx) => {
      await opened.query(tx.client, `delete from ${opened.table('events')} where position > 0`)
      await opened.query(tx.client, `delete from ${opened.table('event_streams')}`)
    })
    same(await store.readAll().count(), 0)
    assert.ok((await (await opened.another()).append('b', events(1))).position > position)
    await holds(store, 'a', [])
  },
})
