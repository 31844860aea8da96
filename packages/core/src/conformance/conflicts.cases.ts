import assert from 'node:assert/strict'
import { deferred } from './deferred.js'
import { at, events, goesThrough, refused, same, started, versionsOf, within } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('thrown by the work')

/** The error of the promise, which has to fail. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome.status === 'rejected' ? outcome.reason : assert.fail('it resolved')
}

export const conflicts = topic('conflicts', {
  'its-stream-is-locked-until-it-ends': async ({ store, hold }) => {
    await store.append('a', events(1))
    const held = hold(store, (tx) => tx.append('a', events(1), { expectedVersion: 1 }))
    await held.ready
    const late = started(store.append('a', events(1), { expectedVersion: 1 }))
    const any = started(store.append('a', events(1)))
    await goesThrough(late, 50)
    await held.commit()
    await refused(late, 'VARVE_CONCURRENCY', { actualVersion: 2 })
    same((await any).version, 3)
  },

  // however many events, streams or stores: each of these may go its own way in an adapter
  'what-waits-for-it-is-judged-by-its-outcome': async ({ store, another, hold }) => {
    const other = await another()
    for (const [name, appending] of [
      ['one', () => other.append('one', events(1), { expectedVersion: 2 })],
      ['some', () => other.append('some', events(3), { expectedVersion: 2 })],
      [
        'all',
        () =>
          other.appendMany([
            { streamId: 'all', events: events(2), expectedVersion: 2 },
            { streamId: 'beside', events: events(1) },
          ]),
      ],
      [
        'looked-at',
        () =>
          other.appendMany([
            { streamId: 'looked-at', events: [], expectedVersion: 2 },
            { streamId: 'beside', events: events(1) },
          ]),
      ],
    ] as const) {
      await store.append(name, events(2))
      const held = hold(store, (tx) => tx.append(name, events(2), { expectedVersion: 2 }))
      await held.ready
      const late = started<unknown>(appending())
      await goesThrough(late, 50)
      await held.commit()
      await refused(late, 'VARVE_CONCURRENCY', { actualVersion: 4 })
      same(versionsOf(await store.readStream(name).toArray()), [1, 2, 3, 4])
    }
    same(await store.readStream('beside').count(), 0)
  },

  'a-rollback-frees-its-stream': async ({ store, hold }) => {
    const held = hold(store, (tx) => tx.append('a', events(3)))
    await held.ready
    const waiting = store.append('a', events(1), { expectedVersion: 'no-stream' })
    await goesThrough(waiting, 50)
    await held.rollback()
    same((await waiting).version, 1)
  },

  // a typed error where there is one connection, an append of its own elsewhere
  'an-append-outside-awaited-inside-never-hangs': async ({ store }) => {
    const outcome = await within(
      store.transaction(async () => {
        const [inner] = await Promise.allSettled([store.append('outside', events(1))])
        return inner
      }),
      8_000,
      'store.append inside store.transaction',
    )
    const stored = await store.readStream('outside').count()
    if (outcome.status === 'fulfilled') return same(stored, 1)
    same([stored, String((outcome.reason as { code?: string }).code).startsWith('VARVE_')], [0, true])
  },

  'runs-once-whatever-the-error': async ({ store }) => {
    let runs = 0
    const attempt = store.transaction(
      async () => {
        runs += 1
        throw failure
      },
      { retries: 5 },
    )
    same([await failureOf(attempt), runs], [failure, 1])
    const missed = store.transaction(
      async (tx) => {
        runs += 1
        await tx.append('a', events(1), { expectedVersion: 9 })
      },
      { retries: 5 },
    )
    await refused(missed, 'VARVE_CONCURRENCY')
    same(runs, 2)
  },

  'crosswise-transactions-both-get-through-with-retries': async ({ store }) => {
    const bothBegun = deferred()
    let begun = 0
    const crossing = (first: string, second: string): Promise<number> =>
      store.transaction(
        async (tx) => {
          await tx.append(first, events(1))
          if (++begun === 2) bothBegun.resolve()
          await goesThrough(bothBegun.promise)
          return (await tx.append(second, events(1))).version
        },
        { retries: 5 },
      )
    await Promise.all([crossing('x', 'y'), crossing('y', 'x')])
    same([await store.readStream('x').count(), await store.readStream('y').count()], [2, 2])
    same((await store.verify()).problems, [])
  },

  'a-deadlock-without-retries-is-a-conflict': async ({ store }) => {
    const crossing = (first: string, second: string): Promise<void> =>
      store.transaction(async (tx) => {
        await tx.append(first, events(1))
        await goesThrough(new Promise(() => undefined))
        await tx.append(second, events(1))
      })
    const attempts = [crossing('x', 'y'), crossing('y', 'x')]
    const outcomes = await Promise.allSettled(attempts)
    const committed = outcomes.filter(({ status }) => status === 'fulfilled').length
    assert.ok(committed > 0, 'one of two gets through')
    for (const [index, { status }] of outcomes.entries()) {
      if (status === 'rejected') await refused(at(attempts, index), 'VARVE_TRANSACTION_CONFLICT')
    }
    same([await store.readStream('x').count(), await store.readStream('y').count()], [committed, committed])
  },
})
