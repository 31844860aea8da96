import assert from 'node:assert/strict'
import {
  ascending,
  at,
  collect,
  event,
  events,
  holds,
  idsOf,
  positionsOf,
  refused,
  same,
  streamIds,
} from './helpers.js'
import { topic } from './topic.js'

export const tenants = topic('tenants', {
  'are-default-when-nobody-says-otherwise': async ({ fresh }) => {
    const { store } = await fresh()
    same(store.tenantId, 'default')
    const {
      events: [recorded],
    } = await store.append('a', events(1))
    same(recorded?.tenantId, 'default')
    same(await store.forTenant('default').readAll().count(), 1)
  },

  'may-be-chosen-when-opening': async ({ fresh }) => {
    const { store } = await fresh({ tenantId: 'acme' })
    same(store.tenantId, 'acme')
    same((await store.append('a', events(1))).events[0]?.tenantId, 'acme')
    same(await store.forTenant('acme').readAll().count(), 1)
    same(await store.forTenant('other').readAll().count(), 0)
  },

  'have-streams-of-their-own': async ({ opened: { store } }) => {
    const [one, two] = [store.forTenant('own-1'), store.forTenant('own-2')]
    const [ones, twos] = [events(2), events(3)]
    await one.append('a', ones, { expectedVersion: 'no-stream', streamType: 'x' })
    await two.append('a', twos, { expectedVersion: 'no-stream', streamType: 'y' })
    await holds(one, 'a', ones)
    await holds(two, 'a', twos)
    await refused(one.append('a', events(1), { expectedVersion: 3 }), 'VARVE_CONCURRENCY', {
      tenantId: 'own-1',
      actualVersion: 2,
    })
    same([(await one.getStream('a'))?.streamType, (await two.getStream('a'))?.streamType], ['x', 'y'])
    same([(await one.getStream('a'))?.version, (await two.getStream('a'))?.version], [2, 3])
  },

  'are-not-read-by-others': async ({ opened: { store } }) => {
    const [one, two, none] = [store.forTenant('read-1'), store.forTenant('read-2'), store.forTenant('read-3')]
    const ones = await one.append('a', [
      event('x', 1, { correlationId: 'c', tags: ['t'], metadata: { m: 1 } }),
    ])
    const twos = await two.appendMany([
      { streamId: 'b', events: events(2) },
      { streamId: 'c', events: events(1) },
    ])
    same(idsOf(await one.readAll().toArray()), idsOf(ones.events))
    same(idsOf(await two.readAll().toArray()), idsOf(twos.flatMap((result) => result.events)))
    same(
      [await one.readStream('b').count(), await two.readStream('a').count(), await none.readAll().count()],
      [0, 0, 0],
    )
    for (const filter of [
      { types: ['x'] },
      { types: ['x.*', 'x'] },
      { correlationId: 'c' },
      { tags: ['t'] },
      { metadata: { m: 1 } },
      { streamIds: ['a'] },
      { streamTypes: ['stream'] },
    ]) {
      same(await none.readAll(filter).toArray(), [], JSON.stringify(filter))
      same(await none.readAll({ ...filter, direction: 'backwards' }).toArray(), [])
      same(await one.readAll(filter).count(), 1)
    }
    same(await two.transaction((tx) => tx.readStream('a').count()), 0)
  },

  'do-not-get-events-of-others': async ({ opened: { store } }) => {
    const [one, two] = [store.forTenant('get-1'), store.forTenant('get-2')]
    const {
      events: [recorded],
    } = await one.append('a', events(1))
    assert.ok(recorded)
    same(await two.getEvent(recorded.id), undefined)
    same(await two.getStream('a'), undefined)
    same(await one.getEvent(recorded.id), recorded)
  },

  'list-only-their-own-streams': async ({ opened: { store } }) => {
    const [one, two] = [store.forTenant('list-1'), store.forTenant('list-2')]
    await one.append('a', events(1))
    await two.append('b', events(1))
    same([await streamIds(one), await streamIds(two)], [['a'], ['b']])
    same(await streamIds(one, { prefix: 'b', includeArchived: true }), [])
  },

  'count-only-what-is-theirs': async ({ opened: { store } }) => {
    const [one, two, none] = [
      store.forTenant('count-1'),
      store.forTenant('count-2'),
      store.forTenant('count-3'),
    ]
    const { position } = await one.append('a', [event('x'), event('x')])
    await two.append('b', [event('y')], { streamType: 'k' })
    const statistics = await one.statistics()
    same([statistics.events, statistics.streams, statistics.lastPosition], [2, 1, position])
    same(
      statistics.eventTypes.map(({ eventType, count }) => [eventType, count]),
      [['x', 2]],
    )
    same(
      statistics.streamTypes.map(({ streamType }) => streamType),
      ['stream'],
    )
    same([await one.lastPosition(), await none.lastPosition()], [position, 0])
    assert.ok((await two.lastPosition()) > position)
    assert.ok((await none.settledPosition()) > position)
    const [report, empty] = [await one.verify(), await none.verify()]
    same([report.ok, report.events, report.streams], [true, 2, 1])
    same([empty.ok, empty.events, empty.streams], [true, 0, 0])
    same([(await none.statistics()).events, (await none.statistics()).eventTypes], [0, []])
  },

  'archive-only-their-own-streams': async ({ opened: { store } }) => {
    const [one, two] = [store.forTenant('archive-1'), store.forTenant('archive-2')]
    await one.append('a', events(1))
    await two.append('a', events(1))
    await one.archiveStream('a')
    same((await two.append('a', events(1))).version, 2)
    await refused(one.append('a', events(1)), 'VARVE_STREAM_ARCHIVED')
    await two.restoreStream('a')
    await refused(one.append('a', events(1)), 'VARVE_STREAM_ARCHIVED')
    await refused(store.forTenant('archive-3').archiveStream('a'), 'VARVE_STREAM_NOT_FOUND')
  },

  'write-only-their-own-in-a-transaction': async ({ opened }) => {
    const { store } = opened
    const one = store.forTenant('tx-1')
    await one.transaction(async (tx) => {
      same(tx.tenantId, 'tx-1')
      same((await tx.append('a', events(1))).events[0]?.tenantId, 'tx-1')
    })
    const own = await opened.begin()
    const joined = one.using(own.client)
    same(joined.tenantId, 'tx-1')
    await joined.append('a', events(1), { expectedVersion: 1 })
    await own.commit()
    same([await one.readStream('a').count(), await store.forTenant('tx-2').readAll().count()], [2, 0])
  },

  'cannot-be-changed-on-a-bound-handle': async ({ opened: { store } }) => {
    const bound = store.forTenant('bound')
    same([bound.tenantId, bound.forTenant('bound').tenantId], ['bound', 'bound'])
    await refused(() => bound.forTenant('other'), 'VARVE_TENANT_MISMATCH')
    await refused(() => bound.forTenant('bound').forTenant('default'), 'VARVE_TENANT_MISMATCH')
    await refused(() => bound.forTenant('Bound'), 'VARVE_TENANT_MISMATCH')
    same(store.forTenant('other').tenantId, 'other')
  },

  'cannot-read-across-tenants-on-a-bound-handle': async ({ opened: { store } }) => {
    await store.forTenant('across-1').append('a', events(1))
    const bound = store.forTenant('across-2')
    await refused(() => bound.allTenants(), 'VARVE_INVALID_ARGUMENT')
    same(await bound.readAll().toArray(), [])
  },

  'cannot-close-or-migrate': async ({ opened: { store } }) => {
    const bound = store.forTenant('closing')
    await refused(() => bound.close(), 'VARVE_INVALID_ARGUMENT')
    await refused(() => bound.migrate(), 'VARVE_INVALID_ARGUMENT')
    same((await bound.append('a', events(1))).version, 1)
    assert.ok((await store.migrations()).length > 0)
  },

  'share-one-order-of-positions': async ({ opened: { store } }) => {
    const positions: number[] = []
    for (const n of [1, 2, 1, 3, 2]) {
      positions.push(...positionsOf((await store.forTenant(`order-${n}`).append('a', events(2))).events))
    }
    ascending(positions)
  },

  'are-read-together-by-all-tenants': async ({ fresh }) => {
    const { store } = await fresh()
    const results = []
    for (const tenantId of ['one', 'two', 'default', 'one']) {
      results.push(await store.forTenant(tenantId).append('a', events(2)))
    }
    const all = results.flatMap((result) => result.events)
    const reader = store.allTenants()
    same(await reader.readAll().toArray(), all)
    same(await reader.readAll({ direction: 'backwards', limit: 3 }).toArray(), all.toReversed().slice(0, 3))
    same(await reader.lastPosition(), at(all, -1).position)
    assert.ok((await reader.settledPosition()) >= at(all, -1).position)
    same(
      Object.fromEntries(
        (await collect(reader.listStreams())).map(({ tenantId, version }) => [tenantId, version]),
      ),
      { default: 2, one: 4, two: 2 },
    )
    const { events: count, streams, lastPosition } = await reader.statistics()
    same([count, streams, lastPosition], [8, 3, at(all, -1).position])
    const report = await reader.verify()
    same([report.ok, report.events, report.streams], [true, 8, 3])
  },

  'leave-one-handle-unbound': async ({ opened: { store } }) => {
    const { tenantId } = store
    store.forTenant('leak')
    same(store.tenantId, tenantId)
    await store.forTenant('leak').append('leaking', events(1))
    same(await store.getStream('leaking'), undefined)
  },
})
