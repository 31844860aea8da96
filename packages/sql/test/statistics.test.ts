import { expect, it } from 'vitest'
import { statistics } from '../src/statistics.js'
import { scratch } from './scratch.js'

function log() {
  const base = scratch()
  base.database.exec(`
    create table events (tenant_id text, stream_type text, event_type text, position integer, event_size_bytes integer, created_at text);
    create table event_streams (tenant_id text, stream_type text, version integer);
    insert into event_streams values ('a', 'cart', 1), ('a', 'cart', 2), ('a', 'order', 1), ('b', 'cart', 7);
    insert into events values
      ('a', 'cart', 'opened', 1, 10, '2024-01-03'),
      ('a', 'cart', 'opened', 2, 20, '2024-01-02'),
      ('a', 'cart', 'closed', 5, 30, '2024-01-04'),
      ('a', 'order', 'opened', 3, 40, '2024-01-09'),
      ('b', 'order', 'opened', 9, 50, '2024-01-01')`)
  return base
}

it('brings together what an event type has in streams of several types', async () => {
  const { driver, dialect } = log()
  const { eventTypes, events, bytes, lastPosition } = await statistics(driver, dialect, 'a')
  expect([events, bytes, lastPosition]).toEqual([4, 100, 5])
  expect(eventTypes).toEqual([
    { eventType: 'closed', count: 1, firstAt: new Date('2024-01-04'), lastAt: new Date('2024-01-04') },
    { eventType: 'opened', count: 3, firstAt: new Date('2024-01-02'), lastAt: new Date('2024-01-09') },
  ])
})

it('averages over streams, not over events', async () => {
  const { driver, dialect } = log()
  const { streams, streamTypes } = await statistics(driver, dialect, 'a')
  expect(streams).toBe(3)
  expect(streamTypes).toEqual([
    { streamType: 'cart', streams: 2, events: 3, averageVersion: 1.5, maxVersion: 2 },
    { streamType: 'order', streams: 1, events: 1, averageVersion: 1, maxVersion: 1 },
  ])
})

it('counts all tenants when none is named, in one statement', async () => {
  const base = log()
  const found = await statistics(base.driver, base.dialect, undefined)
  expect([found.events, found.streams, found.lastPosition, found.bytes]).toEqual([5, 4, 9, 150])
  expect(found.eventTypes[1]?.firstAt).toEqual(new Date('2024-01-01'))
  expect(base.statements).toHaveLength(1)
})

it('is all zero for an empty log', async () => {
  const { driver, dialect } = log()
  expect(await statistics(driver, dialect, 'nobody')).toEqual({
    events: 0,
    streams: 0,
    lastPosition: 0,
    eventTypes: [],
    streamTypes: [],
    bytes: 0,
  })
})
