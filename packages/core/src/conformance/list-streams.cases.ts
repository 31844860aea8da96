import assert from 'node:assert/strict'
import type { ListStreamsOptions } from '../event-store.js'
import { at, collect, event, events, refused, same, streamIds, upTo } from './helpers.js'
import { topic } from './topic.js'

export const listStreams = topic('list-streams', {
  'goes-by-stream-id': async ({ store }) => {
    for (const streamId of ['b', 'a-2', 'B', 'a-10', 'é', 'a']) await store.append(streamId, events(1))
    same(await streamIds(store), ['B', 'a', 'a-10', 'a-2', 'b', 'é'])
  },

  'tells-about-each-stream': async ({ store }) => {
    await store.append('a', events(2), { streamType: 'account' })
    const [listed] = await collect(store.listStreams())
    same(listed, await store.getStream('a'))
    same(
      [listed?.tenantId, listed?.streamId, listed?.streamType, listed?.version],
      [store.tenantId, 'a', 'account', 2],
    )
    assert.ok(listed && listed.createdAt instanceof Date && listed.updatedAt >= listed.createdAt)
    same('archivedAt' in listed, false)
  },

  'by-stream-type': async ({ store }) => {
    for (const [index, streamType] of ['x', 'y', 'x', 'z'].entries())
      await store.append(`s-${index}`, events(1), { streamType })
    same(await streamIds(store, { streamTypes: ['x'] }), ['s-0', 's-2'])
    same(await streamIds(store, { streamTypes: ['z', 'y'] }), ['s-1', 's-3'])
    same(await streamIds(store, { streamTypes: ['none'] }), [])
    same(await streamIds(store, { streamTypes: [] }), [])
  },

  'by-prefix': async ({ store }) => {
    const all = [
      'a',
      'a%',
      'a%b',
      'a-1',
      'a-2',
      'a_',
      'a_b',
      'ab',
      'A-1',
      'a\\',
      'b',
      '\u{10ffff}',
      '\u{10ffff}x',
    ]
    for (const streamId of all) await store.append(streamId, events(1))
    for (const prefix of ['a', 'a-', 'a%', 'a_', 'A', 'a\\', 'none', 'b', '\u{10ffff}']) {
      const expected = all.filter((streamId) => streamId.startsWith(prefix)).toSorted()
      same(await streamIds(store, { prefix }), expected, prefix)
    }
  },

  'after-is-exclusive-and-limit-limits': async ({ store }) => {
    for (const n of upTo(5)) await store.append(`s-${n}`, events(1))
    same(await streamIds(store, { after: 's-2' }), ['s-3', 's-4', 's-5'])
    same(await streamIds(store, { after: 's-2', limit: 2 }), ['s-3', 's-4'])
    same(await streamIds(store, { after: 's-20' }), ['s-3', 's-4', 's-5'])
    same(await streamIds(store, { after: 's-5' }), [])
    same(await streamIds(store, { limit: 0 }), [])
    same(await streamIds(store, { limit: 9 }), ['s-1', 's-2', 's-3', 's-4', 's-5'])
    same(await streamIds(store, { prefix: 's-', after: 's-1', limit: 1, streamTypes: ['stream'] }), ['s-2'])
  },

  'leaves-out-archived-streams-unless-asked': async ({ store }) => {
    for (const streamId of ['a', 'b', 'c']) await store.append(streamId, events(1))
    await store.archiveStream('b')
    same(await streamIds(store), ['a', 'c'])
    same(await streamIds(store, { includeArchived: false, limit: 2 }), ['a', 'c'])
    const all = await collect(store.listStreams({ includeArchived: true }))
    same(
      all.map(({ streamId, archivedAt }) => [streamId, archivedAt instanceof Date]),
      [
        ['a', false],
        ['b', true],
        ['c', false],
      ],
    )
  },

  'longer-than-a-page': async ({ store }) => {
    const all = upTo(2_200).map((n) => `s-${String(n).padStart(5, '0')}`)
    await store.appendMany(all.slice(0, 1_100).map((streamId) => ({ streamId, events: [event()] })))
    await store.appendMany(all.slice(1_100).map((streamId) => ({ streamId, events: [event()] })))
    same(await streamIds(store), all)
    same(await streamIds(store, { after: at(all, 9), limit: 2_000 }), all.slice(10, 2_010))
    let seen = 0
    for await (const _ of store.listStreams()) if (++seen === 1_100) break
    same((await store.getStream(at(all, 0)))?.version, 1)
  },

  'across-tenants': async ({ fresh }) => {
    const { store } = await fresh()
    for (const tenantId of ['two', 'one']) await store.forTenant(tenantId).append('b', events(1))
    await store.forTenant('one').append('a', events(1))
    await store.append('c', events(1))
    const listed = await collect(store.allTenants().listStreams())
    same(
      listed.map(({ streamId }) => streamId),
      ['a', 'b', 'b', 'c'],
    )
    same(listed.map(({ tenantId }) => tenantId).toSorted(), ['default', 'one', 'one', 'two'])
    const limited = await collect(store.allTenants().listStreams({ limit: 2 }))
    same(
      limited.map(({ streamId }) => streamId),
      ['a', 'b'],
    )
    same(await streamIds(store.allTenants(), { after: 'b' }), ['c'])
  },

  'nonsense-is-refused': async ({ store }) => {
    await store.append('a', events(1))
    const nonsense: unknown[] = [
      { streamType: ['a'] },
      { archived: true },
      { limit: -1 },
      { limit: 1.5 },
      { limit: Number.NaN },
      { streamTypes: 'a' },
      { prefix: 1 },
      { after: 1 },
      { includeArchived: 'yes' },
    ]
    for (const options of nonsense) {
      await refused(() => collect(store.listStreams(options as ListStreamsOptions)), 'VARVE_INVALID_ARGUMENT')
    }
  },
})
