import assert from 'node:assert/strict'
import type { EventStore } from '../event-store.js'
import { ascending, at, event, events, positionsOf, refused, same, upTo, versionsOf } from './helpers.js'
import { topic } from './topic.js'

/** How many of the attempts went through; the others failed for the expected version, with a version that can be. */
async function winners(
  attempts: readonly Promise<unknown>[],
  actualVersions: readonly number[],
): Promise<number> {
  const outcomes = await Promise.allSettled(attempts)
  for (const [index, { status }] of outcomes.entries()) {
    if (status === 'fulfilled') continue
    const { actualVersion } = await refused(at(attempts, index), 'VARVE_CONCURRENCY')
    assert.ok(actualVersions.includes(Number(actualVersion)), `actualVersion ${String(actualVersion)}`)
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

const alternately = (store: EventStore, other: EventStore) => (n: number) => (n % 2 ? store : other)

export const races = topic('races', {
  'twenty-any-appends-to-a-new-stream-are-all-stored': async ({ store, another }) => {
    const pick = alternately(store, await another())
    for (const round of upTo(3)) {
      const results = await Promise.all(
        upTo(20).map((n) => pick(n).append(`a-${round}`, [event('n', n), event('n', -n)])),
      )
      same(
        results.map(({ version }) => version).toSorted((a, b) => a - b),
        upTo(20).map((n) => 2 * n),
      )
      const stored = await store.readStream(`a-${round}`).toArray()
      same(versionsOf(stored), upTo(40))
      ascending(positionsOf(stored))
      same(new Set(stored.map(({ data }) => data)).size, 40)
    }
  },

  'twenty-any-appends-to-an-old-stream-are-all-stored': async ({ store, another }) => {
    const pick = alternately(store, await another())
    await store.append('a', events(3))
    await Promise.all(
      upTo(20).map((n) => pick(n).append('a', events(1), n % 3 ? {} : { expectedVersion: 'stream-exists' })),
    )
    same(versionsOf(await store.readStream('a').toArray()), upTo(23))
  },

  'of-eight-racers-one-wins': async ({ store, another }) => {
    const pick = alternately(store, await another())
    for (const version of upTo(6)) {
      const attempts = upTo(8).map((n) =>
        pick(n).append('a', [event('won', n)], { expectedVersion: version - 1 }),
      )
      same(await winners(attempts, [version]), 1)
    }
    same(versionsOf(await store.readStream('a').toArray()), upTo(6))
  },

  'of-eight-racers-with-several-events-one-wins': async ({ store, another }) => {
    const pick = alternately(store, await another())
    for (const round of upTo(8)) {
      const attempts = upTo(8).map((n) =>
        pick(n).append('a', [event('won', n), event('won', -n)], { expectedVersion: 2 * (round - 1) }),
      )
      same(await winners(attempts, [2 * round]), 1)
    }
    same(versionsOf(await store.readStream('a').toArray()), upTo(16))
  },

  'of-eight-founders-one-wins': async ({ store, another }) => {
    const pick = alternately(store, await another())
    for (const round of upTo(4)) {
      const attempts = upTo(8).map((n) =>
        pick(n).append(`a-${round}`, events(2), { expectedVersion: 'no-stream' }),
      )
      same(await winners(attempts, [2]), 1)
      same(await store.readStream(`a-${round}`).count(), 2)
    }
  },

  'of-eight-transactions-one-wins': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const attempts = upTo(8).map((n) =>
      pick(n).transaction(
        async (tx) => {
          const version = await tx.readStream('a').count()
          await tx.append('a', events(1), { expectedVersion: 0 })
          return version
        },
        { retries: 10 },
      ),
    )
    same(await winners(attempts, [1]), 1)
    same(await store.readStream('a').count(), 1)
  },

  'any-and-numbered-appends-mixed': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const any = upTo(10).map((n) => pick(n).append('a', events(1)))
    const numbered = upTo(10).map((n) => pick(n).append('a', events(1), { expectedVersion: n }))
    const [won] = await Promise.all([winners(numbered, upTo(20)), ...any])
    same(versionsOf(await store.readStream('a').toArray()), upTo(10 + won))
  },

  'append-many-in-opposite-orders-does-not-deadlock': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const names = ['a', 'b', 'c', 'd']
    const attempts = upTo(16).map((n) => {
      const order = n % 4 < 2 ? names : names.toReversed()
      return pick(n).appendMany(order.map((streamId) => ({ streamId, events: events(1) })))
    })
    const results = await Promise.all(attempts)
    for (const streamId of names) same(versionsOf(await store.readStream(streamId).toArray()), upTo(16))
    for (const result of results) ascending(result.map(({ position }) => position))
    same((await store.verify()).problems, [])
  },

  'new-streams-in-opposite-orders-do-not-deadlock': async ({ store, another }) => {
    const pick = alternately(store, await another())
    for (const round of upTo(4)) {
      const names = upTo(5).map((n) => `${round}-${n}`)
      const attempts = upTo(6).map((n) =>
        pick(n).appendMany(
          (n % 4 < 2 ? names : names.toReversed()).map((streamId) => ({ streamId, events: events(1) })),
        ),
      )
      await Promise.all(attempts)
      for (const streamId of names) same(await store.readStream(streamId).count(), 6)
    }
  },

  'append-many-either-way-beside-single-appends': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const calls = upTo(30).map((n): Promise<unknown> =>
      n % 3
        ? pick(n).append(n % 2 ? 'a' : 'b', events(1))
        : pick(n).appendMany([
            { streamId: n % 2 ? 'b' : 'a', events: events(1) },
            { streamId: n % 2 ? 'a' : 'b', events: events(1) },
          ]),
    )
    await Promise.all(calls)
    same((await store.readStream('a').count()) + (await store.readStream('b').count()), 40)
    same((await store.verify()).problems, [])
  },

  'money-moved-between-accounts-is-conserved': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const accounts = ['acc-1', 'acc-2', 'acc-3']
    for (const streamId of accounts) await store.append(streamId, [event('moved', 100)])
    const balance = async (from: EventStore, streamId: string) => {
      const stored = await from.readStream(streamId).toArray()
      return { sum: stored.reduce((sum, { data }) => sum + Number(data), 0), version: stored.length }
    }
    const transfer = async (n: number): Promise<number> => {
      const [from, to] = [at(accounts, n % 3), at(accounts, (n + 1) % 3)]
      const [payer, payee] = [await balance(pick(n), from), await balance(pick(n), to)]
      await pick(n).appendMany([
        { streamId: from, events: [event('moved', -n)], expectedVersion: payer.version },
        { streamId: to, events: [event('moved', n)], expectedVersion: payee.version },
      ])
      return n
    }
    const outcomes = await Promise.allSettled(upTo(24).map(transfer))
    const moved = outcomes.filter(({ status }) => status === 'fulfilled').length
    const balances = await Promise.all(accounts.map((streamId) => balance(store, streamId)))
    same(
      [balances.reduce((all, { sum }) => all + sum, 0), await store.readAll().count()],
      [300, 3 + 2 * moved],
    )
    assert.ok(moved > 0)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        await refused(Promise.reject(outcome.reason as Error), 'VARVE_CONCURRENCY')
  },

  'no-version-is-left-out-or-given-twice': async ({ store, another }) => {
    const pick = alternately(store, await another())
    const failure = new Error('rolled back')
    const calls = upTo(30).map((n): Promise<unknown> => {
      if (n % 5 === 0) return pick(n).append('a', events(1), { expectedVersion: 500 + n })
      if (n % 5 === 1)
        return pick(n).transaction(async (tx) => {
          await tx.append('a', events(1))
          throw failure
        })
      return pick(n).append('a', events(n % 3 || 1))
    })
    await Promise.allSettled(calls)
    const stored = await store.readStream('a').toArray()
    same(versionsOf(stored), upTo(stored.length))
    same((await store.getStream('a'))?.version, stored.length)
    same((await store.verify()).problems, [])
  },
})
