import assert from 'node:assert/strict'
import { defineCommand } from '../aggregate/command.js'
import { eventData } from '../aggregate/event-definitions.js'
import { executeCommand } from '../aggregate/execute-command.js'
import type { EventStore } from '../event-store.js'
import { accountEvents } from './account.js'
import { at, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

interface Transfer {
  readonly from: string
  readonly to: string
  readonly cents: number
}

interface Known {
  readonly balances: ReadonlyMap<string, number>
  readonly limit: number
}

const events = { ...accountEvents, 'limit.set': eventData<{ cents: number }>() }
const nothing: Known = { balances: new Map(), limit: Infinity }
const refusal = new Error('insufficient funds')

/** A transfer, and what shall happen between its reading and its writing. */
const transferThat = (meanwhile: (attempt: number) => unknown = () => undefined) =>
  defineCommand({
    name: 'transfer',
    events,
    streams: ({ from, to }: Transfer) => [
      { streamId: from, streamType: 'account' },
      { streamId: to, streamType: 'account' },
      'limits',
    ],
    initialState: nothing,
    evolve(state, event) {
      if (event.type === 'limit.set') return { ...state, limit: event.data.cents }
      if (event.type === 'account.opened') return state
      const sign = event.type === 'money.deposited' ? 1 : -1
      const balance = (state.balances.get(event.streamId) ?? 0) + sign * event.data.cents
      return { ...state, balances: new Map(state.balances).set(event.streamId, balance) }
    },
    async decide({ from, to, cents }, { balances, limit }, { attempt }) {
      await meanwhile(attempt)
      if (cents > Math.min(limit, balances.get(from) ?? 0)) throw refusal
      return [
        { streamId: from, events: [{ type: 'money.withdrawn', data: { cents } }] },
        { streamId: to, events: [{ type: 'money.deposited', data: { cents } }] },
      ]
    },
  })

async function accounts(store: EventStore, cents: Readonly<Record<string, number>>): Promise<void> {
  for (const [streamId, amount] of Object.entries(cents)) {
    await store.append(streamId, [{ type: 'money.deposited', data: { cents: amount } }], {
      streamType: 'account',
    })
  }
}

async function balanceOf(store: EventStore, streamId: string): Promise<number> {
  let balance = 0
  for await (const { type, data } of store.readStream(streamId)) {
    balance += (data as { cents: number }).cents * (type === 'money.withdrawn' ? -1 : 1)
  }
  return balance
}

const setLimit = (store: EventStore, cents: number) =>
  store.append('limits', [{ type: 'limit.set', data: { cents } }], { streamType: 'limits' })

export const commands = topic('commands', {
  'writes-to-several-streams-all-or-nothing': async ({ store }) => {
    await accounts(store, { a: 100, b: 5 })
    const done = await executeCommand(store, transferThat(), { from: 'a', to: 'b', cents: 30 })
    same(
      [done.attempts, done.duplicate, [...done.versions]],
      [
        1,
        false,
        [
          ['a', 2],
          ['b', 2],
          ['limits', 0],
        ],
      ],
    )
    same(
      done.events.map(({ streamId, type }) => [streamId, type]),
      [
        ['a', 'money.withdrawn'],
        ['b', 'money.deposited'],
      ],
    )
    same([await balanceOf(store, 'a'), await balanceOf(store, 'b')], [70, 35])
    const created = await executeCommand(store, transferThat(), { from: 'a', to: 'new', cents: 1 })
    same([created.versions.get('new'), (await store.getStream('new'))?.streamType], [1, 'account'])
    same(await store.getStream('limits'), undefined)
    await store.archiveStream('b')
    await refused(
      executeCommand(store, transferThat(), { from: 'a', to: 'b', cents: 1 }),
      'VARVE_STREAM_ARCHIVED',
    )
    same(await balanceOf(store, 'a'), 69)
    const overdrawn = executeCommand(store, transferThat(), { from: 'a', to: 'new', cents: 70 })
    await assert.rejects(overdrawn, (error) => error === refusal)
  },

  'a-change-of-a-stream-that-is-only-read-makes-it-decide-again': async ({ store, another }) => {
    const other = await another()
    await accounts(store, { a: 100, b: 0 })
    await setLimit(store, 50)
    const lowering = transferThat((attempt) => (attempt === 1 ? setLimit(other, 20) : undefined))
    // decided on a limit of 50, of which nothing is left when it is stored
    await assert.rejects(
      executeCommand(store, lowering, { from: 'a', to: 'b', cents: 40 }),
      (error) => error === refusal,
    )
    same([await balanceOf(store, 'a'), await balanceOf(store, 'b')], [100, 0])
    const raising = transferThat((attempt) => (attempt <= 2 ? setLimit(other, 60 + attempt) : undefined))
    await setLimit(store, 60)
    const done = await executeCommand(store, raising, { from: 'a', to: 'b', cents: 40 }, { baseDelayMs: 1 })
    same([done.attempts, await balanceOf(store, 'b')], [3, 40])
  },

  'the-creation-of-a-stream-that-was-only-read-is-a-change-too': async ({ store, another }) => {
    const other = await another()
    await accounts(store, { a: 100, b: 0 })
    const creating = transferThat((attempt) => (attempt === 1 ? setLimit(other, 1) : undefined))
    await assert.rejects(
      executeCommand(store, creating, { from: 'a', to: 'b', cents: 2 }),
      (error) => error === refusal,
    )
  },

  'a-decision-to-do-nothing-is-checked-too': async ({ store, another }) => {
    const other = await another()
    await accounts(store, { a: 100, b: 0 })
    const seen: number[] = []
    const looking = defineCommand({
      events,
      streams: (streams: string[]) => streams,
      initialState: 0,
      evolve: (sum, event) => (event.type === 'money.deposited' ? sum + event.data.cents : sum),
      async decide(_, sum, { attempt }) {
        seen.push(sum)
        if (attempt === 1) await accounts(other, { b: 7 })
        return undefined
      },
    })
    const done = await executeCommand(store, looking, ['a', 'b'], { baseDelayMs: 1 })
    same([seen, done.attempts, done.events], [[100, 107], 2, []])
  },

  'a-write-to-an-undeclared-stream-is-an-error-of-its-own': async ({ store }) => {
    await accounts(store, { a: 1 })
    let tries = 0
    const straying = defineCommand({
      events,
      streams: () => ['a'],
      initialState: 0,
      evolve: (sum) => sum,
      decide() {
        tries += 1
        return [
          { streamId: 'a', events: [{ type: 'money.deposited', data: { cents: 1 } }] },
          { streamId: 'b', events: [{ type: 'money.deposited', data: { cents: 1 } }] },
        ]
      },
    })
    await refused(executeCommand(store, straying, undefined), 'VARVE_UNDECLARED_STREAM', { streamId: 'b' })
    same([tries, (await store.getStream('a'))?.version, await store.getStream('b')], [1, 1, undefined])
  },

  'streams-are-discovered-while-reading-each-is-read-once': async ({ store }) => {
    const next = {
      'chain.linked': eventData<{ next: string[] }>(),
      'chain.seen': eventData<{ order: string[] }>(),
    }
    const link = (streamId: string, ...to: string[]) =>
      store.append(streamId, [{ type: 'chain.linked', data: { next: to } }])
    await link('a', 'b', 'c')
    await link('b', 'd', 'a')
    await link('c', 'd')
    await link('d', 'c', 'b')
    const follow = (maxStreams: number) =>
      defineCommand({
        events: next,
        streams: (first: string) => [first, first],
        initialState: { order: [] as string[], found: [] as string[] },
        evolve: (state, event) =>
          event.type === 'chain.linked'
            ? { order: [...state.order, event.streamId], found: [...state.found, ...event.data.next] }
            : state,
        discover: ({ found }) => found,
        decide: (first, { order }) => [
          { streamId: 'd', events: [{ type: 'chain.seen', data: { order } }] },
          { streamId: first, events: [{ type: 'chain.seen', data: { order } }] },
        ],
        maxStreams,
      })
    const done = await executeCommand(store, follow(4), 'a')
    same(at(done.events, 0).data, { order: ['a', 'b', 'c', 'd'] })
    same([...done.versions.keys()], ['a', 'b', 'c', 'd'])
    await refused(executeCommand(store, follow(3), 'a'), 'VARVE_INVALID_ARGUMENT', { argument: 'streams' })
  },

  'fifty-at-once-among-ten-accounts-conserve-the-total': async ({ store, another }) => {
    const stores = [store, await another()]
    const names = upTo(10).map((n) => `account-${n}`)
    await accounts(store, Object.fromEntries(names.map((name) => [name, 1_000])))
    const outcomes = await Promise.all(
      upTo(50).map(async (n) => {
        const [from, to] = [at(names, (n * 3) % 10), at(names, (n * 7 + 1 + (n % 2)) % 10)]
        if (from === to) return undefined
        const chosen = at(stores, n % 2)
        const transfer = { from, to, cents: n * 11 }
        return executeCommand(chosen, transferThat(), transfer, { retries: 300, baseDelayMs: 2 }).catch(
          (error: unknown) => {
            if (error !== refusal) throw error
          },
        )
      }),
    )
    assert.ok(outcomes.filter((outcome) => outcome !== undefined).length > 20)
    const balances = await Promise.all(names.map((name) => balanceOf(store, name)))
    same(
      balances.reduce((sum, balance) => sum + balance, 0),
      10_000,
    )
    assert.ok(
      balances.every((balance) => balance >= 0),
      `an account is overdrawn: ${balances.join(', ')}`,
    )
    same((await store.verify()).problems, [])
  },

  'a-repeated-command-is-recognised-before-it-is-decided': async ({ store }) => {
    await accounts(store, { a: 100, b: 0 })
    const transfer = { from: 'a', to: 'b', cents: 100 }
    const run = (commandId: string) => executeCommand(store, transferThat(), transfer, { commandId })
    const first = await run('one')
    const again = await run('one')
    same([first.duplicate, again.duplicate, again.events], [false, true, first.events])
    same(
      again.events.map(({ causationId }) => causationId),
      ['one', 'one'],
    )
    await assert.rejects(run('two'), (error) => error === refusal)
    same(await balanceOf(store, 'b'), 100)
  },

  'retries-have-an-end': async ({ store }) => {
    await accounts(store, { a: 100, b: 0 })
    const disturbed = transferThat(() => setLimit(store, 1_000))
    const attempt = executeCommand(
      store,
      disturbed,
      { from: 'a', to: 'b', cents: 1 },
      { retries: 2, baseDelayMs: 0 },
    )
    await refused(attempt, 'VARVE_CONCURRENCY', { streamId: 'limits', expectedVersion: 2, actualVersion: 3 })
    same(await balanceOf(store, 'b'), 0)
  },

  'in-a-transaction-it-commits-and-rolls-back-with-it': async ({ store }) => {
    await accounts(store, { a: 100, b: 0 })
    const failure = new Error('rolled back by the case')
    const work = store.transaction(async (tx) => {
      await executeCommand(tx, transferThat(), { from: 'a', to: 'b', cents: 60 })
      // sees what was appended before it
      await assert.rejects(
        executeCommand(tx, transferThat(), { from: 'a', to: 'b', cents: 60 }),
        (error) => error === refusal,
      )
      throw failure
    })
    await assert.rejects(work, (error) => error === failure)
    same(await balanceOf(store, 'b'), 0)
    await store.transaction((tx) => executeCommand(tx, transferThat(), { from: 'a', to: 'b', cents: 60 }))
    same(await balanceOf(store, 'b'), 60)
  },
})
