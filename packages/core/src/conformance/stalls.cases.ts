import assert from 'node:assert/strict'
import { isEventStoreError } from '../errors.js'
import { Follower } from './follower.js'
import { event, events, goesThrough, idsOf, refused, same, upTo, within } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('rolled back by the case')

export const stalls = topic('stalls', {
  'rolled-back-numbers-are-not-waited-for': async ({ store, another }) => {
    const other = await another()
    const follower = new Follower(other)
    for (const round of upTo(8)) {
      const gone = store.transaction(async (tx) => {
        await tx.append('a', events(round))
        throw failure
      })
      await assert.rejects(gone, (error) => error === failure)
      await refused(store.append('b', events(2), { expectedVersion: 999 }), 'VARVE_CONCURRENCY')
      const { position, events: appended } = await store.append('c', events(1))
      await within(follower.poll(1_000), 2_000, 'a read behind a rolled back append')
      same(follower.seen.slice(-1), appended)
      assert.ok((await other.settledPosition()) >= position)
    }
  },

  'lost-races-are-not-waited-for': async ({ store, another }) => {
    const other = await another()
    for (const round of upTo(5)) {
      const racers = upTo(6).map((n) =>
        (n % 2 ? store : other).append('a', events(1), { expectedVersion: round - 1 }),
      )
      await Promise.allSettled(racers)
      same(
        await within(other.readAll({ waitForSettledMs: 1_000 }).count(), 2_000, 'a read behind a race'),
        round,
      )
    }
  },

  'a-long-unrelated-transaction-delays-no-reader': async ({ store, opened, another, hold }) => {
    const table = opened.table('unrelated')
    await opened.sql(`create table ${table} (id int primary key)`)
    const { events: before } = await store.append('a', events(2))
    const other = await another()
    const unrelated = hold(other, (tx) => opened.query(tx.client, `insert into ${table} (id) values (1)`))
    await unrelated.ready
    const options = { waitForSettledMs: 500 }
    same(await store.readAll(options).toArray(), before)
    const { position } = before[1] ?? assert.fail()
    assert.ok((await store.settledPosition()) >= position)
    const append = store.append('a', events(1))
    if (await goesThrough(append)) {
      same(await store.readAll(options).count(), 3)
      assert.ok((await store.settledPosition()) >= (await append).position)
    }
    await unrelated.commit()
    await append
  },

  'an-idle-transaction-that-read-the-log-delays-no-reader': async ({ store, opened, another, hold }) => {
    const { events: before } = await store.append('a', events(2))
    const other = await another()
    const idle = hold(other, async (tx) => {
      await tx.readStream('a').toArray()
      await opened.query(tx.client, `select count(*) as n from ${opened.table('events')}`)
    })
    await idle.ready
    const options = { waitForSettledMs: 500 }
    same(await store.readAll(options).toArray(), before)
    const append = store.append('a', events(1))
    if (await goesThrough(append)) same(await store.readAll(options).count(), 3)
    await idle.commit()
    await append
  },

  'polling-does-not-put-off-the-end-of-the-wait': async ({ store, another, hold }) => {
    const other = await another()
    const follower = new Follower(other)
    const early = hold(store, (tx) => tx.append('a', events(1)))
    await early.ready
    const batch = events(1)
    const late = store.append('b', batch)
    await goesThrough(late)
    for (const _ of upTo(10)) await follower.poll(5)
    await early.rollback()
    await late
    await within(follower.poll(1_000), 2_000, 'the read after the rollback')
    same(idsOf(follower.seen), idsOf(batch))
  },

  'settled-position-goes-on-where-a-filter-finds-nothing': async ({ store }) => {
    for (const round of upTo(4)) {
      const { position } = await store.append('a', events(20 * round))
      assert.ok((await store.settledPosition()) >= position)
      same(await store.readAll({ types: ['never'] }).toArray(), [])
      same(await store.readAll({ types: ['never'], after: await store.settledPosition() }).count(), 0)
    }
    const { events: found } = await store.append('a', [event('never')])
    same(await store.readAll({ types: ['never'] }).toArray(), found)
  },

  // on some engines the read waits for the very transaction that awaits it
  'a-read-inside-ones-own-transaction-ends': async ({ store }) => {
    const inside = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      const [outcome] = await Promise.allSettled([store.readAll({ waitForSettledMs: 100 }).toArray()])
      return outcome
    })
    const outcome = await within(inside, 8_000, 'store.readAll inside store.transaction')
    if (outcome.status === 'fulfilled') same(outcome.value, [])
    else assert.ok(isEventStoreError(outcome.reason), String(outcome.reason))
    same(await store.readStream('a').count(), 1)
  },

  'readers-do-not-hold-up-writers': async ({ store, another }) => {
    const other = await another()
    await store.append('a', events(1_200))
    const reader = other.readAll()[Symbol.asyncIterator]()
    await reader.next()
    await within(store.append('a', events(1)), 3_000, 'an append beside an open read')
    await within(
      store.transaction((tx) => tx.append('b', events(1))),
      3_000,
      'a transaction beside an open read',
    )
    await reader.return?.()
  },
})
