import assert from 'node:assert/strict'
import { isEventStoreError } from '../errors.js'
import { Follower } from './follower.js'
import { events, holds, idsOf, refused, same, started, upTo, within } from './helpers.js'
import { topic } from './topic.js'

export const outages = topic('outages', {
  'a-lost-answer-stores-once': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const batch = events(2)
    await faults.loseNextAnswer(opened)
    const result = await opened.store.append('a', batch, { expectedVersion: 'no-stream' })
    same([result.version, idsOf(result.events)], [2, idsOf(batch)])
    await holds(opened.store, 'a', batch)
    same(await opened.store.readAll().count(), 2)
  },

  'a-lost-answer-stores-once-under-ids-of-the-store': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    await opened.store.append('a', events(1))
    await faults.loseNextAnswer(opened)
    const result = await opened.store.append('a', [{ type: 'tested', data: 1 }], { expectedVersion: 1 })
    same(
      [
        result.version,
        await opened.store
          .readStream('a')
          .toArray()
          .then((list) => list.at(-1)),
      ],
      [2, result.events[0]],
    )
  },

  'a-lost-answer-of-append-many-stores-once': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const [first, second] = [events(2), events(1)]
    await opened.store.append('checked', events(1))
    await faults.loseNextAnswer(opened)
    await opened.store.appendMany([
      { streamId: 'b', events: first, expectedVersion: 0 },
      { streamId: 'checked', events: [], expectedVersion: 1 },
      { streamId: 'a', events: second, expectedVersion: 0 },
    ])
    await holds(opened.store, 'b', first)
    await holds(opened.store, 'a', second)
  },

  'later-appends-to-a-stream-wait-behind-a-retry': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const batch = events(6)
    await faults.loseNextAnswer(opened)
    await Promise.all(
      batch.map((one, index) => opened.store.append('a', [one], index % 2 ? { expectedVersion: index } : {})),
    )
    await holds(opened.store, 'a', batch)
  },

  'without-retries-the-outcome-is-unknown-and-resending-is-safe': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true, retry: false })
    const batch = events(2)
    await faults.loseNextAnswer(opened)
    const attempt = opened.store.append('a', batch, { expectedVersion: 0 })
    await refused(attempt, 'VARVE_UNAVAILABLE', { outcome: 'unknown', eventIds: idsOf(batch) })
    const again = await opened.store.append('a', batch, { expectedVersion: 0 })
    same([again.duplicate, again.version], [true, 2])
    await holds(opened.store, 'a', batch)
  },

  'dropped-connections-are-replaced': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const { store } = opened
    const batch = events(8)
    await Promise.all(upTo(8).map(() => store.readAll().count()))
    for (const one of batch) {
      await faults.dropConnections(opened)
      await store.append('a', [one])
    }
    await holds(store, 'a', batch)
    await faults.dropConnections(opened)
    same(await store.readAll().count(), 8)
  },

  'connections-dropped-under-load-lose-and-double-nothing': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const { store } = opened
    const batch = events(120)
    const appends = batch.map((one, index) => started(store.append(`s-${index % 5}`, [one])))
    await appends[0]
    await faults.dropConnections(opened)
    await Promise.all(appends)
    for (const n of upTo(5))
      await holds(
        store,
        `s-${n - 1}`,
        batch.filter((_, index) => index % 5 === n - 1),
      )
    same((await store.verify()).problems, [])
  },

  'a-dropped-transaction-leaves-nothing': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const { store } = opened
    await store.append('a', events(1))
    const attempt = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await faults.dropConnections(opened)
      await tx.append('b', events(1))
    })
    const [outcome] = await Promise.allSettled([attempt])
    assert.ok(outcome.status === 'rejected' && isEventStoreError(outcome.reason), 'a typed error')
    same([await store.readAll().count(), await store.getStream('b')], [1, undefined])
  },

  'a-follower-survives-dropped-connections': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const follower = new Follower(opened.store)
    for (const n of upTo(5)) {
      await opened.store.append(`s-${n}`, events(3))
      await faults.dropConnections(opened)
      await follower.poll(1_000)
    }
    await follower.pollUntil(() => follower.seen.length >= 15)
    await follower.sawAll()
    same(follower.seen.length, 15)
  },

  'an-absence-shorter-than-the-retries-is-not-noticed': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true })
    const batch = events(3)
    await opened.store.append('a', batch.slice(0, 1))
    await faults.away(opened)
    const append = started(opened.store.append('a', batch.slice(1, 2), { expectedVersion: 1 }))
    const behind = started(opened.store.append('a', batch.slice(2), { expectedVersion: 2 }))
    await opened.store.health()
    await faults.back(opened)
    await Promise.all([append, behind])
    await holds(opened.store, 'a', batch)
  },

  'an-absence-is-told': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true, retry: false })
    const { store } = opened
    const batch = events(1)
    await store.append('a', batch)
    await faults.away(opened)
    const [lost] = [events(1)]
    const error = await refused(
      within(store.append('a', lost), 10_000, 'an append while away'),
      'VARVE_UNAVAILABLE',
    )
    same(
      [['not-applied', 'unknown'].includes(String(error['outcome'])), error['eventIds']],
      [true, idsOf(lost)],
    )
    await refused(() => within(store.readAll().toArray(), 10_000, 'a read while away'), 'VARVE_UNAVAILABLE')
    same((await within(store.health(), 10_000, 'health while away')).status, 'down')
    await faults.back(opened)
    await holds(store, 'a', batch)
    same((await store.health()).status, 'ok')
    same((await store.append('a', lost)).version, 2)
  },

  'close-ends-in-bounded-time-while-away': async ({ fresh, faults }) => {
    const opened = await fresh({ faults: true, retry: { attempts: 3, baseDelayMs: 5, maxElapsedMs: 1_000 } })
    await opened.store.append('a', events(1))
    await faults.away(opened)
    const append = Promise.allSettled([opened.store.append('a', events(1))])
    await within(opened.store.close(), 10_000, 'close while away')
    const [outcome] = await append
    same(outcome.status, 'rejected')
    await faults.back(opened)
  },
})
