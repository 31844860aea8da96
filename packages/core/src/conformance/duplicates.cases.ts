import { randomUUID } from 'node:crypto'
import { at, event, events, holds, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const duplicates = topic('duplicates', {
  'part-of-a-batch-is-refused': async ({ store }) => {
    const batch = events(2)
    await store.append('a', batch)
    const eventId = at(batch, 0).id
    await refused(store.append('a', [...batch, ...events(1)]), 'VARVE_DUPLICATE_EVENT', { eventId })
    await refused(store.append('a', [...events(1), at(batch, 0)]), 'VARVE_DUPLICATE_EVENT', { eventId })
    await holds(store, 'a', batch)
  },

  'another-order-is-refused': async ({ store }) => {
    const batch = events(2)
    await store.append('a', batch)
    await refused(store.append('a', batch.toReversed()), 'VARVE_DUPLICATE_EVENT')
    await holds(store, 'a', batch)
  },

  'with-others-in-between-is-refused': async ({ store }) => {
    const batch = events(3)
    await store.append('a', batch)
    await refused(store.append('a', [at(batch, 0), at(batch, 2)]), 'VARVE_DUPLICATE_EVENT')
    await holds(store, 'a', batch)
  },

  'another-stream-is-refused': async ({ store }) => {
    const batch = events(1)
    await store.append('a', batch)
    await refused(store.append('b', batch), 'VARVE_DUPLICATE_EVENT', { eventId: at(batch, 0).id })
    same(await store.getStream('b'), undefined)
    await holds(store, 'a', batch)
  },

  'other-content-is-refused': async ({ store }) => {
    const id = randomUUID()
    await store.append('a', [event('tested', { n: 1 }, { id })])
    await refused(store.append('a', [event('tested', { n: 2 }, { id })]), 'VARVE_DUPLICATE_EVENT', {
      eventId: id,
    })
    await refused(store.append('a', [event('tested', { n: '1' }, { id })]), 'VARVE_DUPLICATE_EVENT', {
      eventId: id,
    })
    await refused(store.append('a', [event('other', { n: 1 }, { id })]), 'VARVE_DUPLICATE_EVENT', {
      eventId: id,
    })
    same(
      (await store.readStream('a').toArray()).map(({ data }) => data),
      [{ n: 1 }],
    )
  },

  'refusals-come-before-other-checks': async ({ store }) => {
    const batch = events(2)
    await store.append('a', batch)
    await store.append('archived', events(1))
    await store.archiveStream('archived')
    const half = [at(batch, 0), ...events(1)]
    await refused(store.append('a', half, { expectedVersion: 0 }), 'VARVE_DUPLICATE_EVENT')
    await refused(store.append('archived', batch), 'VARVE_DUPLICATE_EVENT')
    const writes = [
      { streamId: 'b', events: half },
      { streamId: 'a', events: [], expectedVersion: 9 },
    ]
    await refused(store.appendMany(writes), 'VARVE_DUPLICATE_EVENT')
    await holds(store, 'a', batch)
  },

  'part-of-an-append-many-is-refused': async ({ store }) => {
    const stored = { streamId: 'a', events: events(1) }
    await store.appendMany([stored])
    const attempt = store.appendMany([{ streamId: 'b', events: events(1) }, stored])
    await refused(attempt, 'VARVE_DUPLICATE_EVENT', { eventId: at(stored.events, 0).id })
    same(await store.getStream('b'), undefined)
    await holds(store, 'a', stored.events)
  },

  'an-id-twice-in-one-call-is-refused': async ({ store }) => {
    const [one] = events(1)
    const again = { ...event('other'), id: one?.id.toUpperCase() ?? '' }
    await refused(store.append('a', [at([one], 0) ?? again, again]), 'VARVE_INVALID_EVENT')
    const writes = [
      { streamId: 'a', events: [again] },
      { streamId: 'b', events: [again] },
    ]
    await refused(store.appendMany(writes), 'VARVE_INVALID_EVENT')
    same(await store.readAll().count(), 0)
  },

  'ids-of-other-tenants-are-free': async ({ opened }) => {
    const batch = events(2)
    const one = await opened.store.forTenant('idempotency-1').append('a', batch)
    const two = await opened.store.forTenant('idempotency-2').append('a', batch)
    same([one.duplicate, two.duplicate, two.version], [false, false, 2])
  },

  'of-racing-streams-one-gets-the-id': async ({ store, another }) => {
    const other = await another()
    const batch = events(1)
    const attempts = upTo(6).map((n) => (n % 2 ? store : other).append(`s-${n}`, batch))
    const outcomes = await Promise.allSettled(attempts)
    same(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') await refused(at(attempts, index), 'VARVE_DUPLICATE_EVENT')
    }
    same(await store.readAll().count(), 1)
  },

  'a-rolled-back-id-is-free': async ({ store }) => {
    const batch = events(1)
    const failure = new Error('rolled back')
    await store
      .transaction(async (tx) => {
        await tx.append('a', batch)
        throw failure
      })
      .catch((error: unknown) => same(error, failure))
    same((await store.append('b', batch)).duplicate, false)
  },
})
