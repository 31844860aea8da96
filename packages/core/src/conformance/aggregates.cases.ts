import assert from 'node:assert/strict'
import { createRepository } from '../aggregate/repository.js'
import { accountAggregate, deposits } from './account.js'
import { event, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

const account = accountAggregate()
const failure = new Error('insufficient funds')

export const aggregates = topic('aggregates', {
  'load-folds-a-stream': async ({ store }) => {
    const accounts = createRepository(store, account)
    same(await accounts.load('a'), { state: account.initial(), version: 0 })
    same(await accounts.exists('a'), false)
    await deposits(store, 'a', 3)
    same(await accounts.load('a'), { state: { owner: '', cents: 3, events: 3 }, version: 3 })
    same(await accounts.load('a', { toVersion: 2 }), {
      state: { owner: '', cents: 2, events: 2 },
      version: 2,
    })
    same(await accounts.exists('a'), true)
    await refused(accounts.load('a', { toVersions: 2 } as object), 'VARVE_INVALID_ARGUMENT')
  },

  'handle-appends-what-was-decided': async ({ store }) => {
    const accounts = createRepository(store, account)
    const opened = await accounts.handle('a', (state, context) => {
      same([state.events, context], [0, { streamId: 'a', version: 0, attempt: 1 }])
      return [
        { type: 'account.opened', data: { owner: 'Ann' } },
        { type: 'money.deposited', data: { cents: 5 }, tags: ['first'] },
      ]
    })
    same([opened.state, opened.version], [{ owner: 'Ann', cents: 5, events: 2 }, 2])
    same(
      [opened.duplicate, opened.events.map(({ type }) => type)],
      [false, ['account.opened', 'money.deposited']],
    )
    same((await store.getStream('a'))?.streamType, 'account')
    const one = await accounts.handle('a', async () => ({ type: 'money.withdrawn', data: { cents: 2 } }))
    same([one.state.cents, one.version], [3, 3])
    for (const nothing of [() => [], () => undefined]) {
      const left = await accounts.handle('a', nothing)
      same([left.version, left.events], [3, []])
    }
    same(await accounts.load('a'), { state: one.state, version: 3 })
  },

  'a-refusal-comes-back-unchanged-and-writes-nothing': async ({ store }) => {
    const accounts = createRepository(store, account)
    let tries = 0
    const refusal = accounts.handle('a', () => {
      tries += 1
      throw failure
    })
    await assert.rejects(refusal, (error) => error === failure)
    same([tries, await accounts.exists('a')], [1, false])
  },

  'a-conflict-is-decided-again-on-the-new-state': async ({ store, another }) => {
    const accounts = createRepository(store, account)
    const elsewhere = createRepository(await another(), account)
    const seen: number[] = []
    const { state } = await accounts.handle(
      'a',
      async (current, { attempt }) => {
        seen.push(current.cents)
        if (attempt <= 2)
          await elsewhere.handle('a', () => ({ type: 'money.deposited', data: { cents: 10 } }))
        return { type: 'money.deposited', data: { cents: 1 } }
      },
      { baseDelayMs: 1 },
    )
    same([seen, state.cents], [[0, 10, 20], 21])
  },

  'retries-have-an-end': async ({ store }) => {
    const accounts = createRepository(store, account, { baseDelayMs: 0 })
    const attempts: number[] = []
    const always = (options?: { retries: number }) =>
      accounts.handle(
        'a',
        async (_, { attempt }) => {
          attempts.push(attempt)
          await store.append('a', [{ type: 'money.deposited', data: { cents: 1 } }], {
            streamType: 'account',
          })
          return { type: 'money.withdrawn', data: { cents: 1 } }
        },
        options,
      )
    await refused(always(), 'VARVE_CONCURRENCY', { streamId: 'a', expectedVersion: 4, actualVersion: 5 })
    same(attempts, [1, 2, 3, 4, 5])
    await refused(always({ retries: 0 }), 'VARVE_CONCURRENCY')
    same(attempts.length, 6)
    same((await accounts.load('a')).state.cents, 6)
  },

  'only-conflicts-are-repeated': async ({ store }) => {
    const accounts = createRepository(store, account, { baseDelayMs: 0 })
    await accounts.handle('a', () => ({ type: 'account.opened', data: { owner: 'Ann' } }))
    await store.archiveStream('a')
    let tries = 0
    const attempt = accounts.handle('a', () => {
      tries += 1
      return { type: 'money.deposited', data: { cents: 1 } }
    })
    await refused(attempt, 'VARVE_STREAM_ARCHIVED')
    same(tries, 1)
  },

  'forty-at-once-lose-nothing': async ({ store, another }) => {
    const [here, there] = [createRepository(store, account), createRepository(await another(), account)]
    await Promise.all(
      upTo(40).map((n) =>
        (n % 2 === 0 ? here : there).handle(
          'a',
          ({ events }) => ({ type: 'money.deposited', data: { cents: events + 1 } }),
          { retries: 200, baseDelayMs: 1 },
        ),
      ),
    )
    // each decided on the number of events before it: 1 + 2 + … + 40
    same(await here.load('a'), { state: { owner: '', cents: 820, events: 40 }, version: 40 })
  },

  'a-repeated-command-is-recognised-before-it-is-decided': async ({ store }) => {
    const accounts = createRepository(store, account)
    await accounts.handle('a', () => ({ type: 'money.deposited', data: { cents: 10 } }))
    const withdraw = () =>
      accounts.handle(
        'a',
        (state) => {
          if (state.cents < 10) throw failure
          return [
            { type: 'money.withdrawn', data: { cents: 4 } },
            { type: 'money.withdrawn', data: { cents: 6 } },
          ]
        },
        { commandId: 'withdraw-1', envelope: { correlationId: 'all', createdBy: 'Ann' } },
      )
    const first = await withdraw()
    same([first.state.cents, first.version, first.duplicate], [0, 3, false])
    same(
      first.events.map(({ causationId, correlationId, createdBy }) => [
        causationId,
        correlationId,
        createdBy,
      ]),
      [
        ['withdraw-1', 'all', 'Ann'],
        ['withdraw-1', 'all', 'Ann'],
      ],
    )
    await accounts.handle('a', () => ({ type: 'money.deposited', data: { cents: 1 } }))
    const again = await withdraw()
    same(again, { ...first, duplicate: true })
    same((await accounts.load('a')).version, 4)
    // another stream is another command
    await assert.rejects(
      accounts.handle('b', () => Promise.reject(failure), { commandId: 'withdraw-1' }),
      (error) => error === failure,
    )
  },

  'one-command-at-once-in-many-places-happens-once': async ({ store, another }) => {
    const [here, there] = [createRepository(store, account), createRepository(await another(), account)]
    const results = await Promise.all(
      upTo(10).map((n) =>
        (n % 2 === 0 ? here : there).handle(
          'a',
          // decided otherwise in each place
          () => ({ type: 'money.deposited', data: { cents: n } }),
          { commandId: 'deposit-1', baseDelayMs: 1, retries: 20 },
        ),
      ),
    )
    same(results.filter(({ duplicate }) => !duplicate).length, 1)
    same(new Set(results.map(({ state }) => state.cents)).size, 1)
    same((await here.load('a')).version, 1)
  },

  'ids-beside-a-commandId-are-refused': async ({ store }) => {
    const accounts = createRepository(store, account)
    const id = '01890000-0000-7000-8000-000000000000'
    const attempt = accounts.handle('a', () => ({ type: 'money.deposited', data: { cents: 1 }, id }), {
      commandId: 'c',
    })
    await refused(attempt, 'VARVE_INVALID_ARGUMENT', { argument: 'events[0].id' })
    const twice = () => accounts.handle('a', () => ({ type: 'money.deposited', data: { cents: 1 }, id }))
    // an id of the event's own makes the append a repetition, after it was decided
    same([(await twice()).duplicate, (await twice()).duplicate], [false, true])
    same((await accounts.load('a')).state.cents, 1)
  },

  'a-stream-of-another-type-is-refused': async ({ store }) => {
    await store.append('a', [event('money.deposited', { cents: 1 })], { streamType: 'piggy bank' })
    const accounts = createRepository(store, account)
    await refused(accounts.load('a'), 'VARVE_INVALID_ARGUMENT', { argument: 'streamId' })
  },

  'a-gap-in-the-versions-is-no-state': async ({ store, opened }) => {
    await deposits(store, 'a', 5)
    const tenant = `tenant_id = '${store.tenantId}'`
    await opened.tamper(`delete from ${opened.table('events')} where version = 3 and ${tenant}`)
    await refused(createRepository(store, account).load('a'), 'VARVE_SERIALIZATION')
  },

  'in-a-transaction-it-commits-and-rolls-back-with-it': async ({ store }) => {
    const accounts = createRepository(store, account)
    const deposit = (cents: number) => () => ({ type: 'money.deposited' as const, data: { cents } })
    await store.transaction(async (tx) => {
      const within = createRepository(tx, account, { snapshots: { every: 2 } })
      await within.handle('a', deposit(1), { commandId: 'one' })
      await within.handle('b', deposit(2))
      same((await within.handle('a', deposit(3), { commandId: 'one' })).duplicate, true)
      await within.handle('a', deposit(4))
      same((await within.load('a')).state.cents, 5)
    })
    same([(await accounts.load('a')).state.cents, (await accounts.load('b')).state.cents], [5, 2])
    same((await store.snapshots.latest('a'))?.version, 2)
    const work = store.transaction(async (tx) => {
      await createRepository(tx, account).handle('a', deposit(100))
      throw failure
    })
    await assert.rejects(work, (error) => error === failure)
    same((await accounts.load('a')).state.cents, 5)
  },
})
