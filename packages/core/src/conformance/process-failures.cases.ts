import assert from 'node:assert/strict'
import { eventData } from '../aggregate/event-definitions.js'
import type { EventStore } from '../event-store.js'
import { defineProcess } from '../process/define-process.js'
import type { CommandExecution } from '../process/process.js'
import type { ProcessFailure } from '../process/process-admin.js'
import { defineProjection } from '../projection/define-projection.js'
import { place, typesIn } from './checkout.js'
import { eventually } from './consume.js'
import { deferred } from './deferred.js'
import { refused, same, until, upTo, within } from './helpers.js'
import { topic } from './topic.js'

interface Order {
  readonly order: string
}

const definition = {
  events: { 'order.placed': eventData<Order>(), 'order.recalled': eventData<Order>() },
  correlate: (event: { data: Order }) => event.data.order,
  initialState: { tries: 0 },
}

/** A process whose one command may fail, and is given up after three tries. */
function paying(pay: (execution: CommandExecution) => unknown) {
  return defineProcess({
    ...definition,
    name: 'paying',
    commands: {
      pay: (_: Order, execution: CommandExecution) => pay(execution),
      tell: (data: Order & { why: string }, { store, commandId }: CommandExecution) =>
        store.append(`told-${data.order}`, [{ type: 'told', data: { ...data }, id: commandId }]),
    },
    handles: {
      'order.placed': (_, { data }) => ({ commands: [{ command: 'pay', data: { order: data.order } }] }),
    },
    giveUp: {
      pay: {
        afterAttempts: 3,
        handle: (_, { data, attempts, errorMessage }) => ({
          state: { tries: attempts },
          commands: [{ command: 'tell', data: { ...data, why: errorMessage } }],
          emit: [{ streamId: data.order, type: 'order.cancelled', data: {} }],
        }),
      },
    },
  })
}

const told = (store: EventStore, order: string) => async () =>
  (await typesIn(store, `told-${order}`)).length > 0

export const processFailures = topic('process-failures', {
  'a-command-is-given-up-after-so-many-tries-and-the-process-is-told': async ({ store }) => {
    let tries = 0
    const failures: ProcessFailure[] = []
    await place(store, 'one')
    const process = paying(() => {
      tries += 1
      throw new Error(`no money, try ${tries}`)
    })
    await using runner = store.processes.run([process], { onFailure: (failure) => failures.push(failure) })
    await until(told(store, 'one'), () => runner.caughtUp())
    await runner.caughtUp()
    same(
      failures.map(({ command, attempt }) => [command, attempt]),
      [1, 2, 3].map((attempt) => ['pay', attempt]),
    )
    same((await store.readStream('told-one').first())?.data, { order: 'one', why: 'no money, try 3' })
    same(await typesIn(store, 'one'), ['order.placed', 'order.cancelled'])
    const found = await store.processes.get('paying', 'one')
    same([found?.state, found?.waiting], [{ tries: 3 }, []])
    // decided again, it is not tried again: it might succeed, after all
    const before = await store.readAll().count()
    await store.projections.rebuild('process.paying')
    await runner.caughtUp()
    same([await store.readAll().count(), tries], [before, 3])
    same((await store.processes.get('paying', 'one'))?.state, { tries: 3 })
  },

  'one-that-succeeds-in-time-is-not-given-up': async ({ store }) => {
    let tries = 0
    await place(store, 'one')
    const process = paying(async ({ store: inside, attempt, commandId }) => {
      tries += 1
      if (attempt < 3) throw new Error('not yet')
      await inside.append('paid-one', [{ type: 'paid', data: {}, id: commandId }])
    })
    await using runner = store.processes.run([process], { onFailure: () => undefined })
    await until(
      async () => (await typesIn(store, 'paid-one')).length > 0,
      () => runner.caughtUp(),
    )
    await runner.caughtUp()
    same([tries, await typesIn(store, 'told-one')], [3, []])
    same((await store.processes.get('paying', 'one'))?.waiting, [])
  },

  'many-that-fail-keep-none-of-the-others-waiting': async ({ store }) => {
    const poisoned = upTo(120).map((n) => `poison-${n}`)
    await store.appendMany(
      poisoned.map((order) => ({ streamId: order, events: [{ type: 'order.placed', data: { order } }] })),
    )
    const process = defineProcess({
      ...definition,
      name: 'paying',
      commands: {
        async pay({ order }: Order, { store: inside, commandId }: CommandExecution) {
          if (order.startsWith('poison')) throw new Error('poison')
          await inside.append(`told-${order}`, [{ type: 'told', data: {}, id: commandId }])
        },
      },
      handles: { 'order.placed': (_, { data }) => ({ commands: [{ command: 'pay', data }] }) },
    })
    await using runner = store.processes.run([process], { onFailure: () => undefined })
    const failedTwice = async () => {
      const found = await store.processes.get('paying', 'poison-120')
      return (found?.waiting[0]?.attempts ?? 0) >= 2
    }
    await until(failedTwice, () => runner.caughtUp())
    await place(store, 'good')
    await until(told(store, 'good'), () => runner.caughtUp())
  },

  'one-that-hangs-keeps-no-other-process-waiting': async ({ store, defer }) => {
    const hangs = deferred()
    defer(async () => hangs.resolve())
    const make = (name: string, pay: () => Promise<void> | undefined) =>
      defineProcess({
        ...definition,
        name,
        commands: {
          async pay({ order }: Order, { store: inside, commandId }: CommandExecution) {
            await pay()
            await inside.append(`told-${order}`, [{ type: 'told', data: { name }, id: commandId }])
          },
        },
        handles: { 'order.placed': (_, { data }) => ({ commands: [{ command: 'pay', data }] }) },
      })
    const runner = store.processes.run([make('hanging', () => hangs.promise), make('other', () => undefined)])
    defer(() => runner.stop())
    defer(async () => hangs.resolve())
    await place(store, 'one')
    await eventually(told(store, 'one'), 'what the other one does')
    await place(store, 'two')
    await eventually(told(store, 'two'), 'what the other one does then')
    hangs.resolve()
    await runner.caughtUp()
    same((await typesIn(store, 'told-one')).length, 2)
  },

  'a-timeout-that-fired-is-gone-when-all-is-decided-again-differently': async ({ store }) => {
    const failures: ProcessFailure[] = []
    const make = (at: string) =>
      defineProcess({
        ...definition,
        name: 'waiting',
        handles: { 'order.placed': () => ({ timeouts: [{ name: 'over', at: new Date(at) }] }) },
        timeouts: { over: ({ tries }) => ({ state: { tries: tries + 1 } }) },
      })
    await place(store, 'one')
    {
      await using runner = store.processes.run([make('2020-01-01T00:00:00Z')])
      await runner.caughtUp()
    }
    await using runner = store.processes.run([make('2021-01-01T00:00:00Z')], {
      onFailure: (failure) => failures.push(failure),
    })
    await store.projections.rebuild('process.waiting')
    await within(runner.caughtUp(), 15_000, 'caughtUp')
    const found = await store.processes.get('waiting', 'one')
    same([found?.state, found?.timeouts], [{ tries: 1 }, []])
  },

  'a-state-that-was-stored-is-brought-to-its-newest-shape': async ({ store }) => {
    const handles = { 'order.placed': () => ({}) }
    const before = defineProcess({ ...definition, name: 'counting', initialState: { count: 1 }, handles })
    await place(store, 'old')
    {
      await using runner = store.processes.run([before])
      await runner.caughtUp()
    }
    const after = defineProcess({
      ...definition,
      name: 'counting',
      initialState: { counts: [] as number[] },
      upgrade: (stored) => {
        const { count, counts } = stored as { count?: number; counts?: number[] }
        return { counts: counts ?? (count === undefined ? [] : [count]) }
      },
      handles: { 'order.placed': ({ counts }) => ({ state: { counts: [...counts, 2] } }) },
    })
    for (const order of ['old', 'old', 'new']) await place(store, order)
    await using runner = store.processes.run([after])
    await runner.caughtUp()
    same((await store.processes.get('counting', 'old'))?.state, { counts: [1, 2, 2] })
    same((await store.processes.get('counting', 'new'))?.state, { counts: [2] })
  },

  'a-state-that-cannot-be-upgraded-stops-it': async ({ store }) => {
    const make = (upgrade?: () => never) =>
      defineProcess({ ...definition, name: 'p', handles: { 'order.placed': () => ({}) }, upgrade })
    await place(store, 'one')
    {
      await using runner = store.processes.run([make()])
      await runner.caughtUp()
    }
    await place(store, 'one')
    const upgrade = (): never => {
      throw new Error('what is this?')
    }
    await using runner = store.processes.run([make(upgrade)], { onError: () => undefined })
    const error = await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    assert.match(error.message, /what is this\?/)
  },

  'what-stands-still-or-fails-unheard-is-a-process-warning': async ({ store }) => {
    const heard: { code: string | undefined; message: string }[] = []
    const listen = (warning: Error & { code?: string }): void => {
      heard.push({ code: warning.code, message: warning.message })
    }
    process.on('warning', listen)
    try {
      await place(store, 'one')
      const projection = defineProjection({
        name: 'standing',
        handles: {
          'order.placed': () => {
            throw new Error('the handler is broken')
          },
        },
      })
      const failing = paying(() => {
        throw new Error('no money')
      })
      await using projections = store.projections.run([projection])
      await using processes = store.processes.run([failing])
      await refused(projections.caughtUp(), 'VARVE_PROJECTION_FAULTED')
      await processes.caughtUp()
      // warnings come with a later turn of the event loop
      await until(
        async () => heard.length >= 2,
        async () => undefined,
      )
    } finally {
      process.off('warning', listen)
    }
    const of = (code: string) => heard.find((warning) => warning.code === code)?.message
    same(
      of('VARVE_PROJECTION'),
      "Projection 'standing' stands still until it is resumed: the handler is broken",
    )
    same(of('VARVE_PROCESS'), "Process 'paying', correlation 'one': command 'pay' failed in try 1: no money")
  },

  'only-what-was-defined-is-run': async ({ store }) => {
    const pay = paying(() => undefined)
    const projection = defineProjection({ name: 'p', handles: { x: () => undefined } })
    const cases: [() => unknown, string][] = [
      [() => store.processes.run(pay as never), 'processes'],
      [() => store.processes.run([]), 'processes'],
      [() => store.processes.run([pay, pay]), 'processes'],
      [() => store.processes.run([projection as never]), 'processes[0]'],
      [() => store.processes.run([pay], { onFailed: () => undefined } as never), 'onFailed'],
      [() => store.projections.run([pay as never]), 'projections[0]'],
      [() => store.projections.run([{ name: 'p', handles: {} } as never]), 'projections[0]'],
      [() => store.projections.run([undefined as never]), 'projections[0]'],
    ]
    for (const [run, argument] of cases) await refused(run, 'VARVE_INVALID_ARGUMENT', { argument })
  },
})
