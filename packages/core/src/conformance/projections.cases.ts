import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { RecordedEvent } from '../event.js'
import { defineProjection } from '../projection/define-projection.js'
import { eventually, expectAll, model, named, noting, run } from './consume.js'
import type { Run } from './consume.js'
import { ascending, at, event, events, goesThrough, positionsOf, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const projections = topic('projections', {
  'apply-each-event-once': async (context) => {
    const { store, another } = context
    const into = await model(context)
    await store.append('a', events(250))
    const runner = run(context, [noting(into)], { batchSize: 60, checkpointEvery: 7 })
    await runner.caughtUp()
    await expectAll(store, into)
    const other = await another()
    for (const n of upTo(10)) await (n % 2 ? store : other).append(`s-${n}`, events(3))
    await runner.caughtUp()
    await expectAll(store, into)
    same((await into.positions()).length, 280)
  },

  'go-on-where-they-stopped': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const projection = noting(into)
    const first = run(context, [projection])
    await store.append('a', events(30))
    await first.caughtUp()
    await first.stop()
    await store.append('a', events(5))
    same((await into.positions()).length, 30)
    const second = run({ store: await another(), defer }, [projection])
    await second.caughtUp()
    await expectAll(store, into)
  },

  'have-one-leader': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const projection = noting(into)
    const other = await another()
    const runners = [
      run(context, [projection]),
      run({ store: other, defer }, [projection]),
      run(context, [projection]),
    ]
    for (const n of upTo(30)) await (n % 2 ? store : other).append(`s-${n % 4}`, events(2))
    for (const runner of runners) await runner.caughtUp()
    await expectAll(store, into)
    const acquired = runners.flatMap(({ leases }) => leases.filter((lease) => lease.event === 'acquired'))
    same(acquired.length, 1)
    same(
      runners.flatMap(({ errors }) => errors),
      [],
    )
  },

  'are-spread-over-the-processes-that-run-them': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const projection = noting(into, { shards: 4 })
    const held = async (): Promise<number[]> => {
      const shards = (await store.projections.get(projection.name))?.shards ?? []
      const owners = new Map<string, number>()
      for (const { owner = 'nobody' } of shards) owners.set(owner, (owners.get(owner) ?? 0) + 1)
      return [...owners.values()].toSorted((a, b) => a - b)
    }
    const heldAs = (expected: readonly number[]): Promise<void> =>
      eventually(
        async () => isDeepStrictEqual(await held(), expected),
        `shards held as ${expected.join('+')}`,
      )
    const start = async (): Promise<Run> => run({ store: await another(), defer }, [projection])
    const appending = (async () => {
      for (const n of upTo(40)) await store.append(`s-${n % 9}`, events(2))
    })()
    const first = await start()
    await heldAs([4])
    const second = await start()
    await heldAs([2, 2])
    const third = await start()
    await heldAs([1, 1, 2])
    await first.stop()
    await heldAs([2, 2])
    await appending
    for (const runner of [second, third]) await runner.caughtUp()
    await expectAll(store, into)
    same(
      [first, second, third].flatMap(({ errors }) => errors),
      [],
    )
    const reports = [first, second, third].flatMap(({ leases }) => leases)
    same(
      reports.filter((report) => report.event === 'lost'),
      [],
    )
  },

  'are-taken-over-at-once-after-a-clean-stop': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const projection = noting(into)
    const first = run(context, [projection], { leaseMs: 600_000 })
    await first.caughtUp()
    const second = run({ store: await another(), defer }, [projection], { leaseMs: 600_000 })
    await store.append('a', events(3))
    await first.stop()
    await store.append('a', events(3))
    await second.caughtUp()
    await eventually(() => second.leases.some((lease) => lease.event === 'acquired'), 'taking over')
    await second.caughtUp()
    await expectAll(store, into)
    same(at(first.leases, -1).event, 'released')
    same(at(second.leases, 0).epoch, at(first.leases, 0).epoch + 1)
  },

  'commit-nothing-of-a-piece-that-fails': async (context) => {
    const { store } = context
    const into = await model(context)
    let failing = true
    const projection = noting(into, {
      handles: {
        tested: async (one, tx) => {
          await into.note(one, tx)
          if (failing && (one.data as { number: number }).number === 4) throw new Error('on purpose')
        },
      },
    })
    await store.append('a', events(6))
    const runner = run(context, [projection], { checkpointEvery: 100 })
    await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    const info = await store.projections.get(projection.name)
    const all = await store.readAll().toArray()
    same(
      await into.positions(),
      all.slice(0, 3).map(({ position }) => position),
    )
    same([info?.status, info?.lastPosition, info?.eventsProcessed], ['faulted', at(all, 2).position, 3])
    assert.match(info?.errorMessage ?? '', /on purpose/)
    failing = false
    await store.projections.resume(projection.name)
    await runner.caughtUp()
    await expectAll(store, into)
    same((await store.projections.get(projection.name))?.status, 'running')
  },

  'hooks-may-fail-in-whatever-way': async (context) => {
    const { store, defer } = context
    const unheard: unknown[] = []
    const listen = (reason: unknown): void => void unheard.push(reason)
    process.on('unhandledRejection', listen)
    defer(async () => process.off('unhandledRejection', listen))
    const into = await model(context)
    const fail = (): never => {
      throw new Error('a hook failed')
    }
    const reject = (): unknown => Promise.reject(new Error('a hook failed'))
    for (const hook of [fail, reject]) {
      await store.append('a', events(1))
      const runner = run(context, [noting(into, { name: 'hooked' })], { onBatch: hook, onLease: hook })
      await runner.caughtUp()
      await runner.stop()
    }
    await new Promise((resolve) => setImmediate(resolve))
    same(unheard, [])
    await expectAll(store, into)
  },

  'take-batches': async (context) => {
    const { store } = context
    const into = await model(context)
    const sizes: number[] = []
    const projection = noting(into, {
      batch: async (batch: readonly RecordedEvent[], tx) => {
        sizes.push(batch.length)
        ascending(positionsOf(batch))
        for (const one of batch) await into.note(one, tx)
      },
    })
    await store.append('a', events(50))
    const runner = run(context, [projection], { batchSize: 25, checkpointEvery: 10 })
    await runner.caughtUp()
    await expectAll(store, into)
    assert.ok(Math.max(...sizes) === 10 && sizes.length <= 7, `sizes: ${sizes.join(', ')}`)
  },

  'take-batches-of-some-types': async (context) => {
    const { store } = context
    const into = await model(context)
    const projection = noting(into, {
      types: ['wanted'],
      batch: async (batch: readonly RecordedEvent[], tx) => {
        for (const one of batch) await into.note(one, tx)
      },
    })
    const { events: stored } = await store.append('a', [event('other'), event('wanted'), event('other')])
    await run(context, [projection]).caughtUp()
    same(await into.positions(), [at(stored, 1).position])
  },

  'handle-by-type-and-by-prefix': async (context) => {
    const { store } = context
    const seen: string[] = []
    const handler = (name: string) => (one: RecordedEvent) => void seen.push(`${name}:${one.type}`)
    const projection = defineProjection({
      name: named(),
      handles: {
        'a.b': handler('exact'),
        'a.*': handler('a'),
        'a.b.*': handler('ab'),
        constructor: handler('word'),
      },
    })
    const types = ['a.b', 'a.c', 'a.b.c', 'a', 'toString', 'constructor', 'ab', 'a.b.c.d']
    await store.append(
      's',
      types.map((type) => event(type)),
    )
    await run(context, [projection]).caughtUp()
    same(seen, ['exact:a.b', 'a:a.c', 'ab:a.b.c', 'word:constructor', 'ab:a.b.c.d'])
  },

  'move-on-where-there-is-nothing-for-them': async (context) => {
    const { store } = context
    const into = await model(context)
    const projection = noting(into, { handles: { wanted: into.note } })
    const runner = run(context, [projection], { batchSize: 10 })
    await store.append('a', events(120))
    await runner.caughtUp()
    const end = await store.settledPosition()
    const reached = async (): Promise<boolean> =>
      ((await store.projections.get(projection.name))?.lastPosition ?? 0) >= end
    await eventually(reached, 'a checkpoint behind the events of other types')
    same((await store.projections.get(projection.name))?.lag, { events: 0, seconds: 0 })
    same(await into.positions(), [])
  },

  'set-up-once': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    let times = 0
    const projection = noting(into, { setUp: () => void times++ })
    await store.append('a', events(3))
    const first = run(context, [projection])
    const second = run({ store: await another(), defer }, [projection])
    await first.caughtUp()
    await second.caughtUp()
    await first.stop()
    await second.stop()
    await run(context, [projection]).caughtUp()
    same(times, 1)
    await expectAll(store, into)
  },

  'stand-still-when-they-cannot-be-set-up': async (context) => {
    const { store } = context
    const into = await model(context)
    let failing = true
    const projection = noting(into, {
      setUp: () => {
        if (failing) throw new Error('no such table')
      },
    })
    await store.append('a', events(3))
    const runner = run(context, [projection])
    const error = await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    assert.match(error.message, /no such table/)
    same(await into.positions(), [])
    failing = false
    await store.projections.resume(projection.name)
    await runner.caughtUp()
    await expectAll(store, into)
  },

  'never-pass-an-undecided-append': async (context) => {
    const { store, another, hold } = context
    const into = await model(context)
    const other = await another()
    const runner = run(context, [noting(into)])
    await runner.caughtUp()
    const early = hold(other, (tx) => tx.append('a', events(2)))
    await early.ready
    const late = store.append('b', events(2))
    await goesThrough(late, 60)
    const caughtUp = runner.caughtUp()
    await goesThrough(caughtUp, 100)
    await early.commit()
    await late
    await caughtUp
    await runner.caughtUp()
    await expectAll(store, into)
  },

  'keep-tenants-apart': async (context) => {
    const { store, fresh, defer } = await (async () => {
      const opened = await context.fresh()
      return { store: opened.store, fresh: opened, defer: context.defer }
    })()
    const [one, two, all] = [
      await model({ opened: fresh }),
      await model({ opened: fresh }),
      await model({ opened: fresh }),
    ]
    const name = named()
    const first = store.forTenant('t-1')
    const second = store.forTenant('t-2')
    const runners = [
      run({ store: first, defer }, [noting(one, { name })]),
      run({ store: second, defer }, [noting(two, { name })]),
      run({ store, defer }, [noting(all, { allTenants: true })]),
    ]
    await first.append('a', events(3))
    await second.append('a', events(2))
    for (const runner of runners) await runner.caughtUp()
    await expectAll(first, one)
    await expectAll(second, two)
    await expectAll(store.allTenants(), all)
    await refused(() => first.projections.run([noting(all, { allTenants: true })]), 'VARVE_INVALID_ARGUMENT')
    same(
      (await first.projections.list()).map((info) => [info.tenantId, info.name]),
      [['t-1', name]],
    )
    same((await store.projections.list()).length, 3)
    await first.projections.pause(name)
    same(
      [(await first.projections.get(name))?.status, (await second.projections.get(name))?.status],
      ['paused', 'running'],
    )
    await refused(() => second.projections.pause('unknown'), 'VARVE_INVALID_ARGUMENT')
  },

  'tell-how-they-stand': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const projection = noting(into)
    same(await store.projections.get(projection.name), undefined)
    const runner = run(context, [projection])
    const { events: stored } = await store.append('a', events(4))
    await runner.caughtUp()
    await runner.stop()
    const { position } = at(stored, -1)
    const info = await store.projections.get(projection.name)
    assert.ok(info?.lastProcessedAt instanceof Date)
    same(
      [
        info.name,
        info.version,
        info.status,
        info.lastPosition,
        info.eventsProcessed,
        info.parkedEvents,
        info.errorMessage,
      ],
      [projection.name, 1, 'running', position, 4, 0, undefined],
    )
    same(info.lag, { events: 0, seconds: 0 })
    await store.append('b', events(7))
    await store.forTenant(store.tenantId).append('b', events(2))
    const behind = await store.projections.get(projection.name)
    same(behind?.lag.events, 9)
    assert.ok((behind?.lag.seconds ?? -1) >= 0)
    const [row] = await opened.sql(
      'select last_position, last_event_id, last_processed_at, events_processed, status, error_message ' +
        `from ${opened.table('projection_checkpoints')} where projection_name = '${projection.name}'`,
    )
    same(
      [
        Number(row?.['last_position']),
        row?.['last_event_id'],
        Number(row?.['events_processed']),
        row?.['status'],
        row?.['error_message'],
      ],
      [position, at(stored, -1).id, 4, 'running', null],
    )
    assert.ok(row?.['last_processed_at'] !== null)
  },

  'stop-with-their-signal-and-with-the-store': async (context) => {
    const opened = await context.fresh()
    const into = await model({ opened })
    const controller = new AbortController()
    const signalled = run({ store: opened.store, defer: context.defer }, [noting(into)], {
      signal: controller.signal,
    })
    await signalled.caughtUp()
    controller.abort()
    await eventually(
      () => signalled.leases.some((lease) => lease.event === 'released'),
      'giving the lease back',
    )
    const second = run({ store: opened.store, defer: context.defer }, [noting(await model({ opened }))], {
      leaseMs: 600_000,
    })
    await second.caughtUp()
    await opened.store.close()
    same(at(second.leases, -1).event, 'released')
    await refused(second.caughtUp(), 'VARVE_CLOSED')
    await refused(() => opened.store.projections.run([noting(into)]), 'VARVE_CLOSED')
    await refused(() => opened.store.projections.list(), 'VARVE_CLOSED')
  },

  'refuse-nonsense': async ({ store }) => {
    const good = { name: 'fine', handles: { a: () => undefined } }
    const bad: object[] = [
      { name: 'fine' },
      { ...good, batch: () => undefined },
      { ...good, name: 'not fine' },
      { ...good, version: 0 },
      { ...good, shards: 0 },
      { ...good, onError: 'ignore' },
      { ...good, onError: { retries: -1, backoffMs: 1, then: 'skip' } },
      { ...good, tables: ['drop table'] },
      { ...good, handler: 1 },
      { ...good, types: ['a'] },
    ]
    for (const definition of bad)
      await refused(() => defineProjection(definition as typeof good), 'VARVE_INVALID_ARGUMENT')
    const projection = defineProjection(good)
    await refused(() => store.projections.run([]), 'VARVE_INVALID_ARGUMENT')
    await refused(() => store.projections.run([projection, projection]), 'VARVE_INVALID_ARGUMENT')
    for (const options of [
      { leaseMs: 1 },
      { batchSize: 0 },
      { checkpointEvery: 1.5 },
      { lease: 5 },
      { onBatch: 1 },
    ]) {
      await refused(() => store.projections.run([projection], options as object), 'VARVE_INVALID_ARGUMENT')
    }
    await refused(() => store.projections.reset('fine', -1), 'VARVE_INVALID_ARGUMENT')
    await refused(() => store.projections.pause('never-run'), 'VARVE_INVALID_ARGUMENT')
  },
})
