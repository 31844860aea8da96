import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  ascending,
  at,
  event,
  events,
  holds,
  idsOf,
  positionsOf,
  refused,
  same,
  started,
  upTo,
  versionsOf,
} from './helpers.js'
import { topic } from './topic.js'

export const append = topic('append', {
  'first-event-has-version-1': async ({ store }) => {
    const result = await store.append('a', [event('opened', { by: 'x' })])
    same([result.streamId, result.version, result.duplicate, result.events.length], ['a', 1, false, 1])
    const recorded = at(result.events, 0)
    same([recorded.version, recorded.position, recorded.streamId], [1, result.position, 'a'])
    same([recorded.tenantId, recorded.streamType, recorded.type], [store.tenantId, 'stream', 'opened'])
    same(recorded.data, { by: 'x' })
  },

  'fills-in-what-is-absent': async ({ store }) => {
    const before = Date.now()
    const {
      events: [recorded],
    } = await store.append('a', [{ type: 'tested', data: null }])
    const after = Date.now()
    assert.ok(recorded)
    assert.match(recorded.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    same([recorded.metadata, recorded.tags, recorded.schemaVersion, recorded.data], [{}, [], 1, null])
    assert.ok(recorded.occurredAt.getTime() >= before && recorded.occurredAt.getTime() <= after)
    assert.ok(
      Math.abs(recorded.recordedAt.getTime() - after) < 60_000,
      'recordedAt is the time of the append',
    )
    for (const name of ['correlationId', 'causationId', 'createdBy']) assert.ok(!(name in recorded), name)
    const stored = await store.getEvent(recorded.id)
    assert.ok(stored)
    for (const name of ['correlationId', 'causationId', 'createdBy'])
      assert.ok(!(name in stored), `stored ${name}`)
  },

  'keeps-everything-that-is-given': async ({ store }) => {
    const given = {
      id: randomUUID(),
      type: 'money.deposited',
      data: { amount: '250.00', note: 'grüße' },
      metadata: { source: 'test', nested: { deep: [1, null, true] } },
      schemaVersion: 7,
      occurredAt: new Date('2001-02-03T04:05:06.789Z'),
      correlationId: 'conversation 1',
      causationId: 'command 2',
      createdBy: 'Zoë',
      tags: ['b:2', 'a:1', 'b:2'],
    }
    const {
      events: [recorded],
    } = await store.append('acc-1', [given], { streamType: 'account' })
    assert.ok(recorded)
    for (const [name, value] of Object.entries(given))
      same(recorded[name as keyof typeof recorded], value, name)
    same(recorded.streamType, 'account')
  },

  'result-equals-every-read': async ({ store }) => {
    const { events: recorded } = await store.append('a', [
      event('one', { a: 1 }, { tags: ['t:1'], correlationId: 'c', occurredAt: new Date(5) }),
      event('two', [1, 'x', null], { metadata: { m: { n: 1.5 } }, causationId: 'd', createdBy: 'e' }),
    ])
    same(await store.readStream('a').toArray(), recorded)
    same(await store.readStream('a', { direction: 'backwards' }).toArray(), recorded.toReversed())
    same(await store.readAll().toArray(), recorded)
    same(await store.getEvent(at(recorded, 1).id), at(recorded, 1))
    same(await store.transaction((tx) => tx.readStream('a').toArray()), recorded)
  },

  'versions-are-consecutive-and-positions-increase': async ({ store }) => {
    const first = await store.append('a', events(3))
    const second = await store.append('a', events(2))
    same(versionsOf([...first.events, ...second.events]), upTo(5))
    ascending(positionsOf([...first.events, ...second.events]))
    same([first.version, first.position], [3, at(first.events, 2).position])
    same([second.version, second.position], [5, at(second.events, 1).position])
  },

  'without-events-is-refused': async ({ store }) => {
    await refused(store.append('a', []), 'VARVE_INVALID_EVENT')
    same(await store.getStream('a'), undefined)
  },

  'unknown-options-are-refused': async ({ store }) => {
    const misspelt = { expectedversion: 5 } as object
    await refused(store.append('a', events(1), misspelt), 'VARVE_INVALID_ARGUMENT')
    await holds(store, 'a', [])
  },

  'rejects-and-never-throws': async ({ store }) => {
    const attempts = [
      store.append('', events(1)),
      store.append('a', [event('')]),
      store.append('a', events(1), { expectedVersion: -1 }),
      store.appendMany([{ streamId: '', events: events(1) }]),
    ]
    for (const outcome of await Promise.allSettled(attempts)) same(outcome.status, 'rejected')
  },

  'input-may-be-changed-after-the-call': async ({ store }) => {
    const data = { list: [1], deep: { text: 'before' } }
    const metadata = { m: 'before' }
    const tags = ['before']
    const occurredAt = new Date(1_000)
    const batch = [event('before', data, { metadata, tags, occurredAt })]
    const appended = started(store.append('a', batch))
    const many = [{ streamId: 'b', events: [event('before', data)] }]
    const appendedMany = started(store.appendMany(many))
    data.list.push(2)
    data.deep.text = metadata.m = tags[0] = 'after'
    occurredAt.setTime(2_000)
    batch.push(event('after'))
    at(many, 0).streamId = 'c'
    const { events: result } = await appended
    await appendedMany
    for (const list of [result, await store.readStream('a').toArray()]) {
      same(list.length, 1)
      const stored = at(list, 0)
      same(
        [stored.data, stored.metadata, stored.tags],
        [{ list: [1], deep: { text: 'before' } }, { m: 'before' }, ['before']],
      )
      same(stored.occurredAt, new Date(1_000))
    }
    same((await store.readStream('b').first())?.data, { list: [1], deep: { text: 'before' } })
  },

  'a-thousand-events-at-once': async ({ store }) => {
    const batch = events(1_100)
    const result = await store.append('a', batch)
    same(result.version, 1_100)
    same(idsOf(result.events), idsOf(batch))
    ascending(positionsOf(result.events))
    await holds(store, 'a', batch)
  },

  'size-is-counted-in-utf-8-bytes-of-the-data': async ({ store }) => {
    const data = { text: 'grüße 😀', list: [1, 2.5, null] }
    const {
      events: [recorded],
    } = await store.append('a', [event('tested', data, { metadata: { not: 'counted' } })])
    same(recorded?.sizeBytes, Buffer.byteLength(JSON.stringify(data)))
    same((await store.readStream('a').first())?.sizeBytes, recorded?.sizeBytes)
  },

  'ids-are-lower-cased': async ({ store }) => {
    const id = randomUUID().toUpperCase()
    const {
      events: [recorded],
    } = await store.append('a', [event('tested', {}, { id })])
    same(recorded?.id, id.toLowerCase())
    same((await store.getEvent(id))?.id, id.toLowerCase())
    same((await store.getEvent(id.toLowerCase()))?.id, id.toLowerCase())
  },
})
