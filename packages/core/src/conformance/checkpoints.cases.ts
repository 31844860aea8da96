import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { RecordedEvent } from '../event.js'
import { eventually, expectAll, model, noting, run } from './consume.js'
import { at, events, refused, same, started, upTo } from './helpers.js'
import { topic } from './topic.js'

const LEASE_MS = 300

export const checkpoints = topic('checkpoints', {
  // the fence: a leader of an older epoch commits nothing
  'a-leader-of-an-older-epoch-commits-nothing': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const table = opened.table('projection_checkpoints')
    let raised = 0
    const projection = noting(into, {
      handles: {
        tested: async (one: RecordedEvent, tx) => {
          await into.note(one, tx)
          // as the stamp of a new leader would
          if (raised++ > 0) return
          await opened.query(
            tx.client,
            `update ${table} set epoch = epoch + 1 where projection_name = '${tx.name}'`,
          )
        },
      },
    })
    await store.append('a', events(3))
    const runner = run(context, [projection], { leaseMs: LEASE_MS })
    await runner.caughtUp()
    await expectAll(store, into)
    same((await store.projections.get(projection.name))?.eventsProcessed, 3)
    assert.ok(raised > 3, 'the first try was rolled back')
  },

  'nothing-commits-beside-a-pause-or-a-reset': async (context) => {
    const { store, opened } = context
    const table = opened.table('projection_checkpoints')
    await store.append('a', events(3))
    for (const change of [
      'last_position = last_position + 1',
      "status = 'paused'",
      "pending_step = 'reset'",
    ]) {
      const into = await model(context)
      let changed = 0
      const projection = noting(into, {
        handles: {
          tested: async (one: RecordedEvent, tx) => {
            await into.note(one, tx)
            if (changed++ > 0) return
            await opened.query(
              tx.client,
              `update ${table} set ${change} where projection_name = '${tx.name}'`,
            )
          },
        },
      })
      await run(context, [projection]).caughtUp()
      await expectAll(store, into)
      assert.ok(changed > 3, `the first try was not rolled back: ${change}`)
    }
  },

  'a-lease-that-runs-out-is-taken-over': async (context) => {
    const { store, opened, another, defer } = context
    const into = await model(context)
    const projection = noting(into)
    const leases = opened.table('projection_leases')
    const runners = [
      run(context, [projection], { leaseMs: LEASE_MS }),
      run({ store: await another(), defer }, [projection], { leaseMs: LEASE_MS }),
    ]
    for (const runner of runners) await runner.caughtUp()
    for (const round of upTo(3)) {
      // somebody has it, and renews it no more
      await opened.sql(
        `update ${leases} set owner = 'gone', epoch = epoch + 1 where projection_name = '${projection.name}'`,
      )
      await store.append('a', events(2))
      const taken = () =>
        runners.flatMap((runner) => runner.leases).filter((lease) => lease.event === 'acquired').length
      await eventually(() => taken() > round, 'a take-over')
      for (const runner of runners) await runner.caughtUp()
    }
    await expectAll(store, into)
    const all = runners.flatMap((runner) => runner.leases)
    same(all.filter((lease) => lease.event === 'lost').length, 3)
    const epochs = all.filter((lease) => lease.event === 'acquired').map((lease) => lease.epoch)
    same(new Set(epochs).size, epochs.length)
  },

  'pause-and-resume': async (context) => {
    const { store, another } = context
    const into = await model(context)
    const projection = noting(into)
    const runner = run(context, [projection])
    await store.append('a', events(2))
    await runner.caughtUp()
    const admin = (await another()).projections
    await admin.pause(projection.name)
    await admin.pause(projection.name)
    same((await store.projections.get(projection.name))?.status, 'paused')
    await store.append('a', events(2))
    await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    same((await into.positions()).length, 2)
    const late = run(context, [projection])
    await admin.resume(projection.name)
    await runner.caughtUp()
    await late.caughtUp()
    await expectAll(store, into)
    same((await store.projections.get(projection.name))?.status, 'running')
  },

  'one-that-stands-still-is-tried-again-by-who-takes-it-over': async (context) => {
    const { store } = context
    const into = await model(context)
    let failing = true
    const projection = noting(into, {
      handles: {
        tested: async (one: RecordedEvent, tx) => {
          if (failing) throw new Error('out of order')
          await into.note(one, tx)
        },
      },
    })
    await store.append('a', events(3))
    const first = run(context, [projection])
    await refused(first.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    await first.stop()
    failing = false
    await run(context, [projection]).caughtUp()
    await expectAll(store, into)
    same((await store.projections.get(projection.name))?.status, 'running')
  },

  'what-is-asked-of-one-that-fails-is-not-undone-by-its-failure': async (context) => {
    const { store } = context
    await store.append('a', events(3))
    for (const ask of ['pause', 'rebuild'] as const) {
      const into = await model(context)
      let tries = 0
      let asked: Promise<void> | undefined
      const retries = 8
      const projection = noting(into, {
        onError: { retries, backoffMs: 5, then: 'stop' },
        handles: {
          tested: async (one: RecordedEvent, tx) => {
            if (++tries <= retries + 1) throw new Error('out of order')
            await into.note(one, tx)
          },
        },
      })
      const runner = run(context, [projection], {
        onError: () => void (asked ??= started(store.projections[ask](projection.name))),
      })
      const status = async () => (await store.projections.get(projection.name))?.status
      await eventually(() => tries > retries, 'the last try')
      await asked
      if (ask === 'pause') {
        await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
        same(await status(), 'paused')
      } else {
        await runner.caughtUp()
        await expectAll(store, into)
      }
    }
  },

  'reset-moves-the-checkpoint-and-nothing-else': async (context) => {
    const { store } = context
    const into = await model(context)
    const seen: number[] = []
    const projection = noting(into, {
      handles: { tested: (one: RecordedEvent) => void seen.push(one.position) },
    })
    const { events: stored } = await store.append('a', events(5))
    const runner = run(context, [projection])
    await runner.caughtUp()
    await store.projections.reset(projection.name, at(stored, 2).position)
    await runner.caughtUp()
    const positions = stored.map(({ position }) => position)
    same(seen, [...positions, ...positions.slice(3)])
    await store.projections.reset(projection.name, 0)
    await runner.caughtUp()
    same(seen.slice(7), positions)
    await refused(store.projections.reset(projection.name, 1_000_000_000), 'VARVE_INVALID_ARGUMENT')
  },

  'rebuild-empties-the-model-and-folds-again': async (context) => {
    const { store, another } = context
    const into = await model(context)
    const projection = noting(into)
    await store.append('a', events(20))
    const runner = run(context, [projection])
    await runner.caughtUp()
    await (await another()).projections.rebuild(projection.name)
    await store.append('a', events(2))
    await runner.caughtUp()
    await expectAll(store, into)
    const info = await store.projections.get(projection.name)
    same([info?.status, info?.eventsProcessed], ['running', 22])
  },

  'of-another-log-is-refused': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const projection = noting(into)
    await store.append('a', events(3))
    const first = run(context, [projection])
    await first.caughtUp()
    await first.stop()
    const table = opened.table('projection_checkpoints')
    await opened.sql(
      `update ${table} set log_id = '${randomUUID()}' where projection_name = '${projection.name}'`,
    )
    await store.append('a', events(1))
    const second = run(context, [projection])
    // it may be told by the runner, or find out by itself
    await refused(second.caughtUp(), ['VARVE_PROJECTION_FAULTED', 'VARVE_FOREIGN_LOG'])
    same(
      second.errors.map(({ error }) => (error as { code?: string }).code),
      ['VARVE_FOREIGN_LOG'],
    )
    same((await into.positions()).length, 3)
    assert.match((await store.projections.get(projection.name))?.errorMessage ?? '', /log/)
    await store.projections.rebuild(projection.name)
    await second.caughtUp()
    await expectAll(store, into)
  },

  'beyond-the-end-of-the-log-is-refused': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const projection = noting(into)
    await store.append('a', events(3))
    const first = run(context, [projection])
    await first.caughtUp()
    await first.stop()
    const table = opened.table('projection_checkpoints')
    await opened.sql(
      `update ${table} set last_position = last_position + 500000 where projection_name = '${projection.name}'`,
    )
    const second = run(context, [projection])
    await refused(second.caughtUp(), ['VARVE_PROJECTION_FAULTED', 'VARVE_CHECKPOINT_AHEAD'])
    same(
      second.errors.map(({ error }) => (error as { code?: string }).code),
      ['VARVE_CHECKPOINT_AHEAD'],
    )
    await store.projections.resume(projection.name)
    await refused(second.caughtUp(), ['VARVE_PROJECTION_FAULTED', 'VARVE_CHECKPOINT_AHEAD'])
    await store.projections.reset(projection.name, at(await store.readAll().toArray(), -1).position)
    await store.append('a', events(2))
    await second.caughtUp()
    await expectAll(store, into)
  },

  'that-remembers-another-event-is-refused': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const projection = noting(into)
    await store.append('a', events(3))
    const first = run(context, [projection])
    await first.caughtUp()
    await first.stop()
    const table = opened.table('projection_checkpoints')
    await opened.sql(
      `update ${table} set last_event_id = '${randomUUID()}' where projection_name = '${projection.name}'`,
    )
    const second = run(context, [projection])
    await refused(second.caughtUp(), ['VARVE_PROJECTION_FAULTED', 'VARVE_CHECKPOINT_AHEAD'])
    same(
      second.errors.map(({ error }) => (error as { code?: string }).code),
      ['VARVE_CHECKPOINT_AHEAD'],
    )
    same((await store.health()).status, 'degraded')
  },

  'status-is-one-of-four': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const projection = noting(into)
    await store.append('a', events(1))
    await run(context, [projection]).caughtUp()
    const table = opened.table('projection_checkpoints')
    await assert.rejects(
      opened.sql(`update ${table} set status = 'fine' where projection_name = '${projection.name}'`),
    )
  },

  'health-names-what-stands-still': async (context) => {
    const opened = await context.fresh()
    const { store } = opened
    const into = await model({ opened })
    const projection = noting(into, {
      handles: {
        tested: () => {
          throw new Error('out of order')
        },
      },
    })
    const runner = run({ store, defer: context.defer }, [projection])
    await runner.caughtUp()
    same((await store.health()).status, 'ok')
    await store.append('a', events(1))
    await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    const { status, checks } = await store.health()
    same(status, 'degraded')
    assert.match(checks.find(({ name }) => name === 'projections')?.detail ?? '', /out of order/)
  },
})
