import assert from 'node:assert/strict'
import { eventData } from '../aggregate/event-definitions.js'
import { defineProcess } from '../process/define-process.js'
import type { CommandExecution } from '../process/process.js'
import type { ProcessFailure } from '../process/process-admin.js'
import { checkout, place, typesIn } from './checkout.js'
import { at, refused, same, until, upTo, within } from './helpers.js'
import { topic } from './topic.js'

const YEAR = 365 * 86_400_000

export const processes = topic('processes', {
  'reacts-emits-and-commands-once': async ({ store }) => {
    await place(store, 'one')
    await using runner = store.processes.run([checkout()])
    await runner.caughtUp()
    same(await typesIn(store, 'work-one'), ['stock.reserved', 'payment.taken'])
    same(await typesIn(store, 'one'), ['order.placed', 'order.confirmed'])
    const parcel = await store.readStream('parcel-one').first()
    same([parcel?.streamType, parcel?.correlationId, parcel?.data], ['parcel', 'one', { for: 'one' }])
    const found = await store.processes.get('checkout', 'one')
    same(found, {
      process: 'checkout',
      correlationId: 'one',
      status: 'running',
      state: { steps: ['placed', 'reserved', 'paid'] },
      waiting: [],
      timeouts: [],
    })
    same(await store.processes.get('checkout', 'two'), undefined)
    await place(store, 'two')
    await runner.caughtUp()
    same(await typesIn(store, 'work-two'), ['stock.reserved', 'payment.taken'])
    same((await typesIn(store, 'work-one')).length, 2)
  },

  'compensates-and-completes': async ({ store }) => {
    await place(store, 'one')
    await using runner = store.processes.run([checkout({ refuses: true })])
    await runner.caughtUp()
    same(await typesIn(store, 'work-one'), ['stock.reserved', 'payment.refused', 'stock.released'])
    same(await typesIn(store, 'one'), ['order.placed', 'order.cancelled'])
    same((await store.readStream('one').last())?.tags, ['sad'])
    same((await store.processes.get('checkout', 'one'))?.status, 'completed')
    // what comes later does not concern it any more
    await place(store, 'one')
    await runner.caughtUp()
    same((await typesIn(store, 'work-one')).length, 3)
  },

  'handled-again-nothing-happens-twice': async ({ store }) => {
    for (const order of ['one', 'two', 'three']) await place(store, order, { before: '2020-01-01T00:00:00Z' })
    await using runner = store.processes.run([checkout()])
    await runner.caughtUp()
    const before = await store.readAll().count()
    // forgets all it knows, and decides all of it again
    await store.projections.rebuild('process.checkout')
    await runner.caughtUp()
    same(await store.readAll().count(), before)
    const { state, timeouts } = (await store.processes.get('checkout', 'two')) ?? {}
    same(
      [(state as { steps: string[] }).steps.toSorted(), timeouts],
      [['paid', 'placed', 'reserved', 'unpaid'], []],
    )
  },

  'caught-up-with-what-another-process-carries-out': async ({ store, another }) => {
    const chain = defineProcess({
      name: 'chain',
      events: { linked: eventData<{ chain: string; left: number }>() },
      correlate: (event) => event.data.chain,
      initialState: {},
      commands: {
        async link(data: { chain: string; left: number }, { store: inside, commandId }: CommandExecution) {
          await inside.append(data.chain, [{ type: 'linked', data: { ...data }, id: commandId }])
        },
      },
      handles: {
        linked: (_, { data: { chain: of, left } }) =>
          left === 0 ? {} : { commands: [{ command: 'link', data: { chain: of, left: left - 1 } }] },
      },
    })
    await using leader = store.processes.run([chain])
    await leader.caughtUp()
    await using waiting = (await another()).processes.run([chain])
    for (const n of upTo(3)) {
      await store.append(`chain-${n}`, [{ type: 'linked', data: { chain: `chain-${n}`, left: 20 } }])
      await within(waiting.caughtUp(), 15_000, 'caughtUp')
      same(await store.readStream(`chain-${n}`).count(), 21)
    }
  },

  'a-timeout-fires-late-rather-than-never': async ({ store, opened }) => {
    await place(store, 'one', { within: YEAR })
    {
      await using runner = store.processes.run([checkout({ silent: true })])
      await runner.caughtUp()
      const waiting = (await store.processes.get('checkout', 'one'))?.timeouts
      assert.ok(waiting !== undefined && at(waiting, 0).dueAt.getTime() > Date.now() + YEAR / 2)
      same(await typesIn(store, 'work-one'), ['stock.reserved'])
    }
    // a year later
    const past = { type: 'past', data: {}, occurredAt: new Date(1e12) }
    await store.append('past', [past])
    const { events, timeouts } = {
      events: opened.table('events'),
      timeouts: opened.table('process_timeouts'),
    }
    const tenant = `tenant_id = '${store.tenantId}'`
    await opened.sql(
      `update ${timeouts} set due_at = (select occurred_at from ${events} where stream_id = 'past' and ${tenant}) where ${tenant}`,
    )
    await using runner = store.processes.run([checkout({ silent: true })])
    await runner.caughtUp()
    same(await typesIn(store, 'one'), ['order.placed', 'order.overdue'])
    same(await typesIn(store, 'work-one'), ['stock.reserved', 'reminder.sent'])
    await runner.caughtUp()
    same((await typesIn(store, 'one')).length, 2)
  },

  'a-time-that-is-over-is-due-at-once-with-its-data': async ({ store }) => {
    const before = '2020-01-01T00:00:00.000Z'
    await place(store, 'one', { before })
    await using runner = store.processes.run([checkout({ silent: true })])
    await runner.caughtUp()
    same((await store.readStream('one').last())?.data, { before })
  },

  'a-cancelled-timeout-does-not-fire-nor-one-of-a-completed-process': async ({ store }) => {
    await place(store, 'one', { within: YEAR })
    await using runner = store.processes.run([checkout(), checkout({ name: 'refusing', refuses: true })])
    await runner.caughtUp()
    same((await store.processes.get('checkout', 'one'))?.timeouts, [])
    same((await store.processes.get('refusing', 'one'))?.timeouts, [])
    same((await typesIn(store, 'one')).includes('order.overdue'), false)
  },

  'what-fails-is-tried-again-and-holds-up-only-its-own': async ({ store }) => {
    let failing = true
    const failures: ProcessFailure[] = []
    await place(store, 'one')
    await using runner = store.processes.run([checkout({ fails: () => failing })], {
      onFailure: (failure) => failures.push(failure),
    })
    await runner.caughtUp()
    const found = await store.processes.get('checkout', 'one')
    same(
      found?.waiting.map(({ command, errorMessage }) => [command, errorMessage]),
      [['pay', 'the bank cannot be reached']],
    )
    assert.ok(failures.length > 0)
    const { process, correlationId, command, attempt } = at(failures, 0)
    same([process, correlationId, command, attempt], ['checkout', 'one', 'pay', 1])
    failing = false
    await place(store, 'two')
    await runner.caughtUp()
    same(await typesIn(store, 'work-two'), ['stock.reserved', 'payment.taken'])
    await until(
      async () => (await typesIn(store, 'work-one')).length >= 2,
      () => runner.caughtUp(),
    )
    await runner.caughtUp()
    same(await typesIn(store, 'one'), ['order.placed', 'order.confirmed'])
  },

  'a-message-that-no-database-can-hold-holds-up-nothing': async ({ store }) => {
    const failures: ProcessFailure[] = []
    const message = `\0\ud800 ${'long '.repeat(50_000)}`
    const fails = (): boolean => {
      throw new Error(message)
    }
    await place(store, 'one')
    await using runner = store.processes.run([checkout({ fails })], {
      onFailure: (failure) => failures.push(failure),
    })
    await runner.caughtUp()
    const waiting = (await store.processes.get('checkout', 'one'))?.waiting
    same([waiting?.length, waiting?.[0]?.command, failures.length > 0], [1, 'pay', true])
    assert.ok((waiting?.[0]?.attempts ?? 0) > 0)
  },

  'what-cannot-be-decided-asks-for-nothing': async ({ store }) => {
    await place(store, 'one')
    await store.append('one', [{ type: 'order.held', data: { order: 'one' } }])
    await using runner = store.processes.run([checkout()])
    await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    const info = await store.projections.get('process.checkout')
    same([info?.status, /hold an order/.test(info?.errorMessage ?? '')], ['faulted', true])
  },

  'two-that-run-it-at-once-do-it-once': async ({ store, another }) => {
    const other = await another()
    await using here = store.processes.run([checkout()])
    await using there = other.processes.run([checkout()])
    await Promise.all(upTo(20).map((n) => place(n % 2 === 0 ? store : other, `order-${n}`)))
    await Promise.all([here.caughtUp(), there.caughtUp()])
    for (const n of upTo(20)) {
      same(await typesIn(store, `work-order-${n}`), ['stock.reserved', 'payment.taken'])
      same(await typesIn(store, `order-${n}`), ['order.placed', 'order.confirmed'])
    }
  },

  'another-takes-over-where-one-stopped': async ({ store, another }) => {
    const other = await another()
    await place(store, 'one')
    {
      await using runner = store.processes.run([checkout({ fails: () => true })])
      await runner.caughtUp()
    }
    await using runner = other.processes.run([checkout()])
    await runner.caughtUp()
    await until(
      async () => (await typesIn(store, 'work-one')).length >= 2,
      () => runner.caughtUp(),
    )
    same(await typesIn(store, 'work-one'), ['stock.reserved', 'payment.taken'])
  },

  'tenants-are-apart': async ({ store, opened }) => {
    const outside = opened.store.forTenant(`${store.tenantId}-outside`)
    await place(store, 'one')
    await place(outside, 'one')
    await using runner = store.processes.run([checkout()])
    await runner.caughtUp()
    same(await typesIn(store, 'work-one'), ['stock.reserved', 'payment.taken'])
    same(await typesIn(outside, 'work-one'), [])
    same(await outside.processes.get('checkout', 'one'), undefined)
  },
})
