import assert from 'node:assert/strict'
import type { StoreTransaction, TransactionOptions } from '../event-store.js'
import { deferred } from './deferred.js'
import { ascending, at, event, events, goesThrough, holds, idsOf, refused, same, within } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('thrown by the work')

/** The error of the promise, which has to fail. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome.status === 'rejected' ? outcome.reason : assert.fail('it resolved')
}

export const transaction = topic('transaction', {
  'commits-and-gives-the-value': async ({ store }) => {
    const [first, second] = [events(2), events(1)]
    const value = await store.transaction(async (tx) => {
      same(tx.tenantId, store.tenantId)
      const one = await tx.append('a', first, { expectedVersion: 'no-stream', streamType: 'account' })
      const two = await tx.append('b', second)
      same([one.version, two.version, one.duplicate], [2, 1, false])
      return [one, two]
    })
    ascending(value.flatMap((result) => result.events.map(({ position }) => position)))
    same(
      await store.readAll().toArray(),
      value.flatMap((result) => result.events),
    )
    await holds(store, 'a', first)
    same((await store.getStream('a'))?.streamType, 'account')
  },

  'without-appends-is-fine': async ({ store }) => {
    same(await store.transaction(async () => 'nothing'), 'nothing')
    same(await store.transaction(async () => undefined), undefined)
    same((await store.append('a', events(1))).version, 1)
  },

  'rolls-back-on-an-error-and-hands-it-on': async ({ store }) => {
    await store.append('old', events(1))
    const thrown = [failure, new TypeError('x'), 'a string', undefined, null, { code: '40001' }]
    for (const value of thrown) {
      const attempt = store.transaction(async (tx) => {
        await tx.append('old', events(1))
        await tx.append('new', events(1))
        throw value
      })
      assert.ok(Object.is(await failureOf(attempt), value), 'the very value that was thrown')
    }
    same(
      [await store.readStream('old').count(), await store.getStream('new'), await store.readAll().count()],
      [1, undefined, 1],
    )
    same((await store.append('old', events(1), { expectedVersion: 1 })).version, 2)
    same((await store.verify()).problems, [])
  },

  'is-not-seen-before-it-commits': async ({ store, another, hold }) => {
    const other = await another()
    const held = hold(store, (tx) => tx.append('a', events(2)))
    const { events: appended } = await held.ready
    const [one] = appended
    assert.ok(one)
    same(await other.readStream('a').toArray(), [])
    same(await other.getEvent(one.id), undefined)
    same(await other.getStream('a'), undefined)
    same(await other.readAll({ settled: false }).count(), 0)
    same(await other.readAll({ direction: 'backwards' }).count(), 0)
    await held.commit()
    same(await other.readStream('a').toArray(), appended)
    same(await other.readAll().toArray(), appended)
  },

  'reads-its-own-writes': async ({ store }) => {
    await store.append('a', events(1))
    await store.transaction(async (tx) => {
      same(await tx.readStream('a').count(), 1)
      const { events: own } = await tx.append('a', events(2))
      same(await tx.readStream('a', { fromVersion: 2 }).toArray(), own)
      same(await tx.readStream('a', { direction: 'backwards', limit: 1 }).toArray(), own.slice(1))
      same((await tx.getStream('a'))?.version, 3)
      await tx.append('new', events(1))
      same([await tx.readStream('new').count(), (await tx.getStream('new'))?.version], [1, 1])
      same(await tx.getStream('none'), undefined)
    })
  },

  'checks-expected-versions-against-its-own-writes': async ({ store }) => {
    await store.transaction(async (tx) => {
      await tx.append('a', events(2), { expectedVersion: 0 })
      await refused(tx.append('a', events(1), { expectedVersion: 0 }), 'VARVE_CONCURRENCY', {
        actualVersion: 2,
      })
      await tx.append('a', events(1), { expectedVersion: 2 })
      await tx.append('a', events(1), { expectedVersion: 'stream-exists' })
    })
    same((await store.getStream('a'))?.version, 4)
  },

  'appends-many-and-checks': async ({ store }) => {
    await store.append('checked', events(2))
    const results = await store.transaction((tx) =>
      tx.appendMany([
        { streamId: 'z', events: events(1) },
        { streamId: 'checked', events: [], expectedVersion: 2 },
        { streamId: 'a', events: events(2) },
        { streamId: 'missing', events: [], expectedVersion: 'no-stream' },
      ]),
    )
    same(
      results.map(({ streamId, version }) => [streamId, version]),
      [
        ['z', 1],
        ['checked', 2],
        ['a', 2],
        ['missing', 0],
      ],
    )
    same(
      idsOf(await store.readAll({ streamIds: ['z', 'a'] }).toArray()),
      idsOf(results.flatMap((result) => result.events)),
    )
    same(await store.getStream('missing'), undefined)
  },

  'stays-usable-after-a-failed-append': async ({ store }) => {
    const [stored, kept] = [events(1), events(3)]
    await store.append('a', stored)
    await store.append('archived', events(1))
    await store.archiveStream('archived')
    await store.transaction(async (tx) => {
      await tx.append('b', kept.slice(0, 1))
      await refused(tx.append('a', events(1), { expectedVersion: 7 }), 'VARVE_CONCURRENCY', {
        actualVersion: 1,
      })
      await tx.append('b', kept.slice(1, 2))
      await refused(tx.append('c', stored), 'VARVE_DUPLICATE_EVENT')
      await refused(tx.append('c', [...events(1), ...stored]), 'VARVE_DUPLICATE_EVENT')
      await refused(tx.append('archived', events(1)), 'VARVE_STREAM_ARCHIVED')
      await refused(tx.append('c', [event('')]), 'VARVE_INVALID_EVENT')
      await refused(tx.append('a', events(1), { streamType: 'x' }), 'VARVE_INVALID_ARGUMENT')
      same(await tx.readStream('b').count(), 2)
      await tx.append('b', kept.slice(2), { expectedVersion: 2 })
    })
    await holds(store, 'b', kept)
    await holds(store, 'a', stored)
    same(await store.getStream('c'), undefined)
    same((await store.verify()).problems, [])
  },

  'keeps-nothing-of-a-failed-append-many': async ({ store }) => {
    const kept = events(2)
    await store.transaction(async (tx) => {
      await tx.append('a', kept.slice(0, 1))
      const attempt = tx.appendMany([
        { streamId: 'new', events: events(2) },
        { streamId: 'a', events: events(1), expectedVersion: 1 },
        { streamId: 'z', events: events(1), expectedVersion: 1 },
      ])
      await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'z', actualVersion: 0 })
      same([await tx.readStream('new').count(), await tx.readStream('a').count()], [0, 1])
      await tx.append('a', kept.slice(1), { expectedVersion: 1 })
    })
    await holds(store, 'a', kept)
    same([await store.getStream('new'), await store.getStream('z')], [undefined, undefined])
  },

  'ends-and-then-refuses': async ({ store }) => {
    let leaked: StoreTransaction | undefined
    await store.transaction(async (tx) => {
      leaked = tx
      await tx.append('a', events(1))
    })
    const { append, readStream } = {
      append: () => leaked?.append('a', events(1)),
      readStream: () => leaked?.readStream('a').toArray(),
    }
    for (const call of [append, readStream]) {
      const [outcome] = await Promise.allSettled([(async () => call())()])
      same(outcome.status, 'rejected')
    }
    same(await store.readStream('a').count(), 1)
  },

  'read-models-commit-with-the-events': async ({ store, opened }) => {
    const model = opened.table('committed_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    await store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'with the event')`)
      same((await opened.query(tx.client, `select note from ${model}`)).length, 1)
    })
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [1, 1],
    )
  },

  'read-models-roll-back-with-the-events': async ({ store, opened }) => {
    const model = opened.table('rolled_back_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    const attempt = store.transaction(async (tx) => {
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'gone')`)
      await tx.append('a', events(1), { expectedVersion: 5 })
    })
    await refused(attempt, 'VARVE_CONCURRENCY')
    const second = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'gone')`)
      throw failure
    })
    same(await failureOf(second), failure)
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [0, 0],
    )
  },

  'read-models-survive-a-failed-append': async ({ store, opened }) => {
    const model = opened.table('surviving_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    await store.transaction(async (tx) => {
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'before')`)
      await refused(tx.append('a', events(1), { expectedVersion: 5 }), 'VARVE_CONCURRENCY')
      await opened.query(tx.client, `insert into ${model} (id, note) values (2, 'after')`)
      await tx.append('a', events(1))
    })
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [2, 1],
    )
  },

  'its-stream-is-locked-until-it-ends': async ({ store, hold }) => {
    await store.append('a', events(1))
    const held = hold(store, (tx) => tx.append('a', events(1), { expectedVersion: 1 }))
    await held.ready
    const late = store.append('a', events(1), { expectedVersion: 1 })
    const any = store.append('a', events(1))
    await goesThrough(late, 50)
    await held.commit()
    await refused(late, 'VARVE_CONCURRENCY', { actualVersion: 2 })
    same((await any).version, 3)
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

  'nonsense-is-refused': async ({ store }) => {
    const never = async (): Promise<void> => assert.fail('the work ran')
    for (const options of [
      { retries: -1 },
      { retries: 1.5 },
      { retries: Number.NaN },
      { retry: 3 },
    ] as TransactionOptions[]) {
      await refused(() => store.transaction(never, options), 'VARVE_INVALID_ARGUMENT')
    }
    await store.transaction(async (tx) => {
      await refused(tx.append('a', events(1), { version: 1 } as object), 'VARVE_INVALID_ARGUMENT')
      await refused(() => tx.readStream('a', { limit: -1 }).toArray(), 'VARVE_INVALID_ARGUMENT')
      await refused(tx.append('a', []), 'VARVE_INVALID_EVENT')
    })
  },
})
