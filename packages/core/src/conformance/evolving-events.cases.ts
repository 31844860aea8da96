import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineAggregate } from '../aggregate/aggregate.js'
import { defineEvents } from '../aggregate/event-catalog.js'
import { eventData } from '../aggregate/event-definitions.js'
import { createRepository } from '../aggregate/repository.js'
import { defineUpcaster } from '../aggregate/upcaster.js'
import { collect, event, refused, same } from './helpers.js'
import { topic } from './topic.js'

/** Whole cents, given as a number or its text; checked after a moment, as if in a database. */
const cents: StandardSchemaV1<{ cents: number | string }, { cents: number }> = {
  '~standard': {
    version: 1,
    vendor: 'varve',
    async validate(value) {
      const given = Number((value as { cents?: unknown } | null)?.cents)
      if (Number.isSafeInteger(given)) return { value: { cents: given } }
      return { issues: [{ message: 'no whole number', path: [{ key: 'cents' }] }] }
    },
  },
}

const toCents = defineUpcaster({
  type: 'money.deposited',
  from: 1,
  to: 2,
  upcast: (old: { amount: string }) => ({ amountInCents: Math.round(Number(old.amount) * 100) }),
})
const renamed = defineUpcaster({
  type: 'money.deposited',
  from: 2,
  to: 3,
  upcast: async (old: { amountInCents: number }) => ({ cents: old.amountInCents }),
})

const events = { 'money.deposited': cents, 'account.closed': eventData<{ reason: string }>() }
const definition = {
  type: 'account',
  events,
  initialState: { cents: 0, closed: false },
  upcasters: [renamed, toCents],
}

const account = defineAggregate({
  ...definition,
  evolve: (state, one) =>
    one.type === 'account.closed'
      ? { ...state, closed: true }
      : { ...state, cents: state.cents + one.data.cents },
})

export const evolvingEvents = topic('evolving-events', {
  'what-is-appended-is-validated': async ({ store }) => {
    const accounts = createRepository(store, account)
    const bad = accounts.handle('a', () => [
      { type: 'account.closed', data: { reason: 'none' } },
      { type: 'money.deposited', data: { cents: 1.5 } },
    ])
    await refused(bad, 'VARVE_SCHEMA', {
      type: 'money.deposited',
      issues: [{ message: 'no whole number', path: ['cents'] }],
    })
    same(await accounts.exists('a'), false)
    const { events: stored } = await accounts.handle('a', () => ({
      type: 'money.deposited',
      data: { cents: '12' },
    }))
    // what the schema made of it, in the newest version
    same(
      stored.map(({ data, schemaVersion }) => ({ data, schemaVersion })),
      [{ data: { cents: 12 }, schemaVersion: 3 }],
    )
    same((await store.readStream('a').first())?.data, { cents: 12 })
    const other = { type: 'money.withdrawn', data: { cents: 1 } } as never
    await refused(
      accounts.handle('a', () => other),
      'VARVE_UNKNOWN_EVENT_TYPE',
      { type: 'money.withdrawn' },
    )
  },

  'older-versions-are-upcast-through-the-chain': async ({ store }) => {
    await store.append(
      'a',
      [
        event('money.deposited', { amount: '1.25' }),
        event('money.deposited', { amountInCents: 50 }, { schemaVersion: 2 }),
        event('money.deposited', { cents: 3 }, { schemaVersion: 3 }),
      ],
      { streamType: 'account' },
    )
    const accounts = createRepository(store, account)
    same((await accounts.load('a')).state, { cents: 178, closed: false })
    const read = await collect(account.events.read(store.readStream('a')))
    same(
      read.map(({ data, schemaVersion }) => [data, schemaVersion]),
      [
        [{ cents: 125 }, 3],
        [{ cents: 50 }, 3],
        [{ cents: 3 }, 3],
      ],
    )
    // what is stored stays as it was
    same((await store.readStream('a').first())?.data, { amount: '1.25' })
  },

  'what-no-chain-leads-on-is-an-error': async ({ store }) => {
    const accounts = createRepository(store, account)
    await store.append('newer', [event('money.deposited', {}, { schemaVersion: 4 })], {
      streamType: 'account',
    })
    await refused(accounts.load('newer'), 'VARVE_SCHEMA', { type: 'money.deposited' })
    await store.append('wrong', [event('money.deposited', { amount: 'nine' })], { streamType: 'account' })
    await refused(accounts.load('wrong'), 'VARVE_SCHEMA', { type: 'money.deposited' })
    await store.append('broken', [event('money.deposited', null)], { streamType: 'account' })
    await refused(accounts.load('broken'), 'VARVE_SERIALIZATION')
  },

  'unknown-types-fail-are-skipped-or-kept': async ({ store }) => {
    await store.append(
      'a',
      [event('money.deposited', { cents: 5 }, { schemaVersion: 3 }), event('lottery.won', { cents: 7 })],
      {
        streamType: 'account',
      },
    )
    await refused(createRepository(store, account).load('a'), 'VARVE_UNKNOWN_EVENT_TYPE', {
      type: 'lottery.won',
    })

    const skipping = defineAggregate({
      ...definition,
      unknownEvents: 'skip',
      evolve: (state, one) =>
        one.type === 'money.deposited' ? { ...state, cents: state.cents + one.data.cents } : state,
    })
    const skipped = await createRepository(store, skipping).load('a')
    same([skipped.state.cents, skipped.version], [5, 2])
    // the version counts what was skipped, so that appending works
    const next = createRepository(store, skipping)
    same(
      (await next.handle('a', () => ({ type: 'money.deposited', data: { cents: 1 } }), { retries: 0 }))
        .version,
      3,
    )

    const keeping = defineAggregate({
      ...definition,
      initialState: { cents: 0, unknown: [] as string[] },
      unknownEvents: 'keep-raw',
      evolve(state, one) {
        if (one.type === '*') return { ...state, unknown: [...state.unknown, one.raw.type] }
        return one.type === 'money.deposited' ? { ...state, cents: state.cents + one.data.cents } : state
      },
    })
    same((await createRepository(store, keeping).load('a')).state, { cents: 6, unknown: ['lottery.won'] })
  },

  'the-log-can-be-read-with-types': async ({ store }) => {
    await store.append('a', [event('money.deposited', { amount: '2' }), event('unrelated', {})])
    const catalog = defineEvents(events, { upcasters: [toCents, renamed], unknownEvents: 'skip' })
    let sum = 0
    for await (const one of catalog.read(store.readAll()))
      if (one.type === 'money.deposited') sum += one.data.cents
    same(sum, 200)
  },
})
