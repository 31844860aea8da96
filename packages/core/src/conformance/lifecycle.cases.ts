import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { EventRead, EventReader, EventStore } from '../event-store.js'
import { deferred } from './deferred.js'
import { at, collect, events, goesThrough, refused, same, started, upTo, within } from './helpers.js'
import { topic } from './topic.js'

const readerCalls: Record<string, (reader: EventReader) => unknown> = {
  'readAll toArray': (store) => store.readAll().toArray(),
  'readAll first': (store) => store.readAll().first(),
  'readAll last': (store) => store.readAll().last(),
  'readAll count': (store) => store.readAll().count(),
  'readAll iterated': (store) => collect(store.readAll()),
  'readAll backwards': (store) => store.readAll({ direction: 'backwards' }).toArray(),
  'readAll unsettled': (store) => store.readAll({ settled: false }).toArray(),
  listStreams: (store) => collect(store.listStreams()),
  lastPosition: (store) => store.lastPosition(),
  settledPosition: (store) => store.settledPosition(),
  statistics: (store) => store.statistics(),
  verify: (store) => store.verify(),
}

const storeCalls: Record<string, (store: EventStore) => unknown> = {
  ...readerCalls,
  append: (store) => store.append('a', events(1)),
  appendMany: (store) => store.appendMany([{ streamId: 'a', events: events(1) }]),
  'readStream toArray': (store) => store.readStream('a').toArray(),
  'readStream first': (store) => store.readStream('a').first(),
  'readStream last': (store) => store.readStream('a').last(),
  'readStream count': (store) => store.readStream('a').count(),
  getEvent: (store) => store.getEvent(randomUUID()),
  getStream: (store) => store.getStream('a'),
  archiveStream: (store) => store.archiveStream('a'),
  restoreStream: (store) => store.restoreStream('a'),
  transaction: (store) => store.transaction(async () => assert.fail('the work ran')),
  maintenance: (store) => store.maintenance(async () => assert.fail('the work ran')),
  migrations: (store) => store.migrations(),
  health: (store) => store.health(),
}

/** Every call rejects with StoreClosedError; which one did not is told. */
async function allRefused<T>(store: T, calls: Record<string, (store: T) => unknown>): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    await refused(() => call(store), 'VARVE_CLOSED').catch((cause: unknown) => {
      throw new Error(`${name} after close`, { cause })
    })
  }
}

export const lifecycle = topic('lifecycle', {
  'every-call-after-close-is-refused': async ({ fresh }) => {
    const { store } = await fresh()
    const bound = store.forTenant('bound')
    const reader = store.allTenants()
    const read = store.readAll()
    await store.append('a', events(1))
    await store.close()
    await allRefused(store, { ...storeCalls, migrate: (closed) => closed.migrate() })
    await allRefused(bound, storeCalls)
    await allRefused(reader, readerCalls)
    await refused(() => read.toArray(), 'VARVE_CLOSED')
    await refused(() => store.forTenant('late').append('a', events(1)), 'VARVE_CLOSED')
    await refused(() => store.allTenants().lastPosition(), 'VARVE_CLOSED')
  },

  'using-after-close-is-refused': async ({ fresh }) => {
    const opened = await fresh()
    const own = await opened.begin()
    await own.rollback()
    const joined = opened.store.using(own.client)
    await opened.store.close()
    await refused(() => joined.append('a', events(1)), 'VARVE_CLOSED')
    await refused(() => opened.store.using(own.client).append('a', events(1)), 'VARVE_CLOSED')
  },

  'closing-twice-does-not-hang': async ({ fresh }) => {
    const { store } = await fresh()
    const outcomes = await within(Promise.allSettled([store.close(), store.close()]), 5_000, 'closing twice')
    same(outcomes[0].status, 'fulfilled')
    const [third] = await within(Promise.allSettled([store.close()]), 5_000, 'closing again')
    for (const outcome of [outcomes[1], third]) {
      if (outcome.status === 'rejected') same((outcome.reason as { code?: string }).code, 'VARVE_CLOSED')
    }
  },

  'close-waits-for-appends': async ({ fresh }) => {
    const opened = await fresh()
    const other = await opened.another()
    const appends = upTo(60).map((n) => started(opened.store.append(`s-${n % 7}`, events(2))))
    const many = started(opened.store.appendMany([{ streamId: 'm', events: events(3) }]))
    await opened.store.close()
    const results = await within(Promise.all([...appends, many]), 1_000, 'appends that close had waited for')
    same([results.length, await other.readAll().count()], [61, 123])
  },

  'close-waits-for-reads': async ({ fresh }) => {
    const { store } = await fresh()
    await store.append('a', events(2_300))
    const length = async (read: EventRead): Promise<number> => (await read.toArray()).length
    const reads = Promise.allSettled([
      length(store.readAll()),
      length(store.readStream('a')),
      length(store.readAll({ direction: 'backwards' })),
      store.readAll().count(),
    ])
    await store.close()
    for (const outcome of await reads) same(outcome, { status: 'fulfilled', value: 2_300 })
  },

  'close-waits-for-a-transaction': async ({ fresh }) => {
    const opened = await fresh()
    const other = await opened.another()
    const [begun, closing] = [deferred(), deferred()]
    const transaction = started(
      opened.store.transaction(async (tx) => {
        await tx.append('a', events(1))
        begun.resolve()
        await closing.promise
        return (await tx.append('a', events(1))).version
      }),
    )
    await begun.promise
    const closed = started(opened.store.close())
    same(await goesThrough(closed, 60), false)
    closing.resolve()
    same(await transaction, 2)
    await closed
    same(await other.readStream('a').count(), 2)
  },

  'close-inside-a-transaction-does-not-wait-for-itself': async ({ store }) => {
    const closing = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await refused(() => store.close(), 'VARVE_INVALID_ARGUMENT')
    })
    await within(closing, 5_000, 'a transaction that closes its store')
    same(await store.readStream('a').count(), 1)
  },

  'close-does-not-wait-for-an-abandoned-read': async ({ fresh }) => {
    const { store } = await fresh()
    await store.append('a', events(2_300))
    for (const read of [store.readAll(), store.readStream('a')]) await read[Symbol.asyncIterator]().next()
    await store.listStreams()[Symbol.asyncIterator]().next()
    await within(store.close(), 5_000, 'close with abandoned reads')
  },

  'closing-one-store-leaves-others-open': async ({ fresh }) => {
    const opened = await fresh()
    const other = await opened.another()
    await opened.store.append('a', events(1))
    await opened.store.close()
    same((await other.append('a', events(1), { expectedVersion: 1 })).version, 2)
    same(await other.readAll().count(), 2)
  },

  'paused-reads-hold-no-connection': async ({ store }) => {
    await store.append('a', events(2_300))
    const iterators = upTo(40).map((n) =>
      (n % 2 ? store.readAll() : store.readStream('a'))[Symbol.asyncIterator](),
    )
    for (const iterator of iterators) same((await iterator.next()).done, false)
    same((await within(store.append('b', events(1)), 8_000, 'an append beside paused reads')).version, 1)
    same(await within(store.readStream('a', { limit: 3 }).count(), 8_000, 'a read beside paused reads'), 3)
    for (const iterator of iterators) await iterator.return?.()
  },

  'abandoned-reads-leak-nothing': async ({ store }) => {
    await store.append('a', events(1_200))
    for (const _ of upTo(60)) {
      for await (const one of store.readAll()) if (one.version === 2) break
      await store.listStreams()[Symbol.asyncIterator]().next()
    }
    same((await within(store.append('b', events(1)), 8_000, 'an append after broken-off reads')).version, 1)
  },

  'failed-transactions-leak-nothing': async ({ store }) => {
    const failure = new Error('thrown by the work')
    const attempt = (): Promise<void> =>
      store.transaction(async (tx) => {
        await tx.append('a', events(1))
        throw failure
      })
    const outcomes = await Promise.allSettled(upTo(40).map(attempt))
    for (const outcome of outcomes) same(outcome, { status: 'rejected', reason: failure })
    same(
      (await within(store.append('a', events(1), { expectedVersion: 0 }), 8_000, 'an append after rollbacks'))
        .version,
      1,
    )
  },

  'many-calls-at-once-get-through': async ({ store }) => {
    await store.append('a', events(5))
    const calls = upTo(120).flatMap((n): Promise<unknown>[] => [
      store.append(`s-${n % 10}`, events(1)),
      store.readStream('a').toArray(),
      store.transaction((tx) => tx.append(`t-${n}`, events(1))),
    ])
    await within(Promise.all(calls), 15_000, 'three hundred and sixty calls')
    same(await store.readAll().count(), 245)
    same(
      (await store.readStream('s-1').toArray()).map(({ version }) => version),
      upTo(12),
    )
    assert.ok(at(await store.readAll({ direction: 'backwards', limit: 1 }).toArray(), 0).position >= 245)
  },
})
