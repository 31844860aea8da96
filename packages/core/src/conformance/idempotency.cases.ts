import { randomUUID } from 'node:crypto'
import type { AppendResult } from '../event-store.js'
import { at, event, events, holds, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

const asDuplicate = (result: AppendResult): AppendResult => ({ ...result, duplicate: true })

export const idempotency = topic('idempotency', {
  'a-repetition-returns-the-original': async ({ store }) => {
    const batch = events(3)
    await store.append('a', events(2))
    const original = await store.append('a', batch)
    await store.append('a', events(2))
    same(await store.append('a', batch), asDuplicate(original))
    same(await store.readStream('a').count(), 7)
  },

  'by-another-process': async ({ store, another }) => {
    const batch = events(2)
    const original = await store.append('a', batch)
    same(await (await another()).append('a', batch), asDuplicate(original))
    await holds(store, 'a', batch)
  },

  'comes-before-the-expected-version': async ({ store }) => {
    const batch = events(2)
    const original = await store.append('a', batch, { expectedVersion: 'no-stream' })
    await store.append('a', events(1))
    for (const expectedVersion of ['no-stream', 0, 1, 77] as const) {
      same(await store.append('a', batch, { expectedVersion }), asDuplicate(original))
    }
    same(await store.readStream('a').count(), 3)
  },

  'comes-before-archiving': async ({ store }) => {
    const batch = events(1)
    const original = await store.append('a', batch)
    await store.archiveStream('a')
    same(await store.append('a', batch), asDuplicate(original))
    same(await store.appendMany([{ streamId: 'a', events: batch }]), [asDuplicate(original)])
    await refused(store.append('a', events(1)), 'VARVE_STREAM_ARCHIVED')
  },

  'of-append-many': async ({ store }) => {
    const writes = ['z', 'a', 'm'].map((streamId) => ({ streamId, events: events(2), expectedVersion: 0 }))
    const originals = await store.appendMany(writes)
    await store.append('a', events(1))
    same(await store.appendMany(writes), originals.map(asDuplicate))
    same(await store.readAll().count(), 7)
  },

  'of-append-many-comes-before-its-checks': async ({ store }) => {
    await store.append('checked', events(1))
    const write = { streamId: 'a', events: events(1) }
    const checks = [
      { streamId: 'checked', events: [], expectedVersion: 1 },
      { streamId: 'missing', events: [], expectedVersion: 'no-stream' as const },
    ]
    const [original] = await store.appendMany([write, ...checks])
    await store.append('checked', events(4))
    await store.append('missing', events(1))
    const [repeated] = await store.appendMany([write, ...checks])
    same(repeated, original && asDuplicate(original))
    await holds(store, 'a', write.events)
  },

  'an-append-may-be-repeated-by-append-many': async ({ store }) => {
    const batch = events(2)
    const original = await store.append('a', batch)
    same(await store.appendMany([{ streamId: 'a', events: batch }]), [asDuplicate(original)])
  },

  'a-consecutive-piece-is-a-repetition': async ({ store }) => {
    const batch = events(4)
    const original = await store.append('a', batch)
    const piece = await store.append('a', batch.slice(1, 3))
    same([piece.duplicate, piece.version, piece.events], [true, 3, original.events.slice(1, 3)])
    same(piece.position, at(original.events, 2).position)
  },

  'two-appends-in-a-row-are-repeated-as-one': async ({ store }) => {
    const batch = events(3)
    const first = await store.append('a', batch.slice(0, 1))
    const second = await store.append('a', batch.slice(1))
    same(await store.append('a', batch), {
      ...asDuplicate(second),
      events: [...first.events, ...second.events],
    })
  },

  'key-order-and-letter-case-of-the-id-make-no-difference': async ({ store }) => {
    const id = randomUUID()
    const original = await store.append('a', [event('tested', { a: 1, b: { c: 2, d: 3 } }, { id })])
    const again = event('tested', { b: { d: 3, c: 2 }, a: 1 }, { id: id.toUpperCase() })
    same(await store.append('a', [again]), asDuplicate(original))
  },

  'negative-zero-is-zero': async ({ store }) => {
    const id = randomUUID()
    const original = await store.append('a', [event('tested', { n: -0 }, { id })])
    same(await store.append('a', [event('tested', { n: -0 }, { id })]), asDuplicate(original))
  },

  'unawaited-repetitions-store-once': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(4)) {
      const batch = events(2)
      const results = await Promise.all(
        upTo(6).map((n) => (n % 2 ? store : other).append(`a-${round}`, batch)),
      )
      same(results.filter(({ duplicate }) => !duplicate).length, 1)
      for (const result of results) same(asDuplicate(result), asDuplicate(at(results, 0)))
      await holds(store, `a-${round}`, batch)
    }
  },

  // the answer of the first may be lost while it is still under way: its repetition must not meet its expectation
  'unawaited-repetitions-do-not-conflict': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(6)) {
      const writes = ['a', 'b'].map((name) => ({
        streamId: `${name}-${round}`,
        events: events(2),
        expectedVersion: 'no-stream' as const,
      }))
      const one = at(writes, 0)
      const repeated =
        round % 2
          ? upTo(4).map((n) =>
              (n % 2 ? store : other).append(one.streamId, one.events, { expectedVersion: 0 }),
            )
          : upTo(4).map((n) => (n % 2 ? store : other).appendMany(writes))
      const results = (await Promise.all(repeated)).flat()
      same(results.filter(({ duplicate }) => !duplicate).length, round % 2 ? 1 : 2)
      await holds(store, one.streamId, one.events)
    }
  },

  'an-unawaited-repetition-in-the-same-tick': async ({ store }) => {
    const batch = events(2)
    const [first, second] = await Promise.all([
      store.append('a', batch, { expectedVersion: 0 }),
      store.append('a', batch, { expectedVersion: 0 }),
    ])
    same([first.duplicate, second], [false, asDuplicate(first)])
    await holds(store, 'a', batch)
  },

  'in-a-transaction': async ({ store }) => {
    const [stored, own] = [events(2), events(2)]
    const original = await store.append('a', stored)
    await store.transaction(async (tx) => {
      same(await tx.append('a', stored), asDuplicate(original))
      const first = await tx.append('a', own)
      same(await tx.append('a', own), asDuplicate(first))
      await refused(tx.append('b', own), 'VARVE_DUPLICATE_EVENT')
    })
    await holds(store, 'a', [...stored, ...own])
  },
})
