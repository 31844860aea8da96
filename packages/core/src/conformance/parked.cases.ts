import assert from 'node:assert/strict'
import type { RecordedEvent } from '../event.js'
import type { ErrorAction, Projection, ProjectionDefinition } from '../projection/projection.js'
import { eventually, expectAll, model, noting, run } from './consume.js'
import type { Model } from './consume.js'
import { at, event, refused, same, started } from './helpers.js'
import { topic } from './topic.js'

/** Events whose data is `{ bad: true }` fail, as long as the switch is on, after they have written. */
function failing(into: Model, onError: ProjectionDefinition['onError']) {
  const state = { on: true, tries: 0 }
  const handle = async (one: RecordedEvent, tx: Parameters<Model['note']>[1]): Promise<void> => {
    await into.note(one, tx)
    if ((one.data as { bad?: boolean }).bad !== true) return
    state.tries += 1
    if (state.on) throw new Error(`cannot handle ${one.id}`)
  }
  const projection: Projection = noting(into, {
    handles: { tested: handle },
    ...(onError !== undefined && { onError }),
  })
  return { state, projection }
}

const good = () => event('tested', {})
const bad = () => event('tested', { bad: true })

const positions = (list: readonly { position: number }[]): number[] => list.map(({ position }) => position)

export const parkedEvents = topic('parked', {
  'skip-keeps-nothing-of-the-event': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection } = failing(into, 'skip')
    const { events } = await store.append('a', [good(), bad(), good(), bad(), bad(), good()])
    const runner = run(context, [projection])
    await runner.caughtUp()
    same(await into.positions(), positions([at(events, 0), at(events, 2), at(events, 5)]))
    same(
      runner.errors.filter(({ action }) => action === 'skip').map(({ position }) => position),
      positions([at(events, 1), at(events, 3), at(events, 4)]),
    )
    same((await store.projections.get(projection.name))?.lag.events, 0)
  },

  'skip-the-one-event-of-a-batch': async (context) => {
    const { store } = context
    const into = await model(context)
    const projection = noting(into, {
      onError: 'skip',
      batch: async (batch: readonly RecordedEvent[], tx) => {
        for (const one of batch) await into.note(one, tx)
        if (batch.some(({ data }) => (data as { bad?: boolean }).bad === true))
          throw new Error('a bad one among them')
      },
    })
    const { events } = await store.append('a', [good(), good(), good(), bad(), good(), good(), bad()])
    await run(context, [projection]).caughtUp()
    same(await into.positions(), positions(events.filter(({ data }) => !('bad' in (data as object)))))
  },

  'retry-until-it-works': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, { retries: 20, backoffMs: 1, then: 'stop' })
    await store.append('a', [good(), bad(), good()])
    const runner = run(context, [projection], {
      onError: ({ action }) => {
        if (action === 'retry' && state.tries >= 4) state.on = false
      },
    })
    await runner.caughtUp()
    await expectAll(store, into)
    assert.ok(state.tries >= 5, `${state.tries} tries`)
  },

  'retry-then-skip-or-stop': async (context) => {
    const { store } = context
    await store.append('a', [good(), bad(), good()])
    for (const then of ['skip', 'stop'] as const satisfies readonly ErrorAction[]) {
      const into = await model(context)
      const { projection, state } = failing(into, { retries: 3, backoffMs: 1, then })
      const runner = run(context, [projection], { checkpointEvery: 1 })
      if (then === 'skip') await runner.caughtUp()
      else await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
      same([state.tries, (await into.positions()).length], [4, then === 'skip' ? 2 : 1])
    }
  },

  'park-the-event-and-what-is-behind-it-in-its-stream': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    const a = await store.append('a', [good(), bad(), good()])
    const b = await store.append('b', [good()])
    const runner = run(context, [projection])
    await runner.caughtUp()
    const later = await store.append('a', [good(), bad()])
    const other = await store.append('c', [good()])
    await runner.caughtUp()
    same(await into.positions(), positions([at(a.events, 0), ...b.events, ...other.events]))
    const list = await store.projections.parked.list(projection.name)
    same(positions(list), positions([...a.events.slice(1), ...later.events]))
    same(
      list.map(({ attempts }) => Math.min(1, attempts)),
      [1, 0, 0, 0],
    )
    const [first] = list
    assert.ok(first !== undefined && first.parkedAt instanceof Date)
    assert.match(first.errorMessage, /cannot handle/)
    const { tenantId, streamId, eventId, eventType, version } = first
    same(
      [tenantId, streamId, eventId, eventType, version],
      [store.tenantId, 'a', at(a.events, 1).id, 'tested', 2],
    )
    const info = await store.projections.get(projection.name)
    same([info?.status, info?.parkedEvents, info?.lag.events], ['running', 4, 0])

    state.on = false
    same(await store.projections.parked.retry(projection.name), 4)
    await runner.caughtUp()
    same(await store.projections.parked.list(projection.name), [])
    await expectAll(store, into)
    await store.append('a', [good()])
    await runner.caughtUp()
    await expectAll(store, into)
  },

  'an-event-that-cannot-be-parked-is-not-passed': async (context) => {
    const { store, opened } = context
    const into = await model(context)
    const { state, projection } = failing(into, 'park')
    const { events } = await store.append('a', [good(), bad(), good()])
    const culprit = at(events, 1)
    // its place is taken
    const columns =
      'tenant_id, projection_name, projection_version, shard, position, event_tenant_id, stream_id, version, event_id, ' +
      'event_type, error_message, attempts'
    const parked = opened.table('parked_events')
    await opened.sql(
      `insert into ${parked} (${columns}) values ('${store.tenantId}', '${projection.name}', 1, 0, ${culprit.position}, ` +
        `'${store.tenantId}', 'elsewhere', 1, '${culprit.id}', 'tested', 'none', 1)`,
    )
    const runner = run(context, [projection])
    await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    const info = await store.projections.get(projection.name)
    same([info?.status, info?.lastPosition], ['faulted', at(events, 0).position])
    assert.match(info?.errorMessage ?? '', /while it parked/)
    same((await store.health()).status, 'degraded')
    same(await into.positions(), positions([at(events, 0)]))
    await opened.sql(`delete from ${parked} where projection_name = '${projection.name}'`)
    state.on = false
    await store.projections.resume(projection.name)
    await runner.caughtUp()
    same(await into.positions(), positions(events))
  },

  'a-retry-that-fails-keeps-the-order': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    await store.append('a', [bad(), good(), bad(), good()])
    await store.append('b', [bad(), good()])
    const runner = run(context, [projection])
    await runner.caughtUp()
    same(await into.positions(), [])
    await store.projections.parked.retry(projection.name)
    await runner.caughtUp()
    const list = await store.projections.parked.list(projection.name)
    same([list.length, await into.positions()], [6, []])
    assert.ok(at(list, 0).attempts > 1)
    state.on = false
    same(await store.projections.parked.retry(projection.name, { streamId: 'b' }), 2)
    await runner.caughtUp()
    same((await into.positions()).length, 2)
    same((await store.projections.parked.list(projection.name)).length, 4)
  },

  'stay-parked-across-leaders': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    await store.append('a', [bad(), good()])
    const first = run(context, [projection])
    await first.caughtUp()
    await first.stop()
    await store.append('a', [good()])
    const second = run({ store: await another(), defer }, [projection])
    await second.caughtUp()
    same([(await store.projections.parked.list(projection.name)).length, await into.positions()], [3, []])
    state.on = false
    await store.projections.parked.retry(projection.name)
    await second.caughtUp()
    await expectAll(store, into)
  },

  'discarded-events-let-their-stream-go-on': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    const { events } = await store.append('a', [bad(), good()])
    const runner = run(context, [projection])
    await runner.caughtUp()
    const { position } = at(events, 0)
    same(await store.projections.parked.discard(projection.name, { position }), 1)
    same(await store.projections.parked.discard(projection.name, { position }), 0)
    same(await store.projections.parked.retry(projection.name), 1)
    await runner.caughtUp()
    same(await into.positions(), positions(events.slice(1)))
    const { events: more } = await store.append('a', [bad(), good()])
    await runner.caughtUp()
    same(await store.projections.parked.discard(projection.name), 2)
    state.on = false
    const { events: last } = await store.append('a', [good()])
    await runner.caughtUp()
    same(await into.positions(), positions([at(events, 1), ...last]))
    assert.ok(more.length === 2)
  },

  'nothing-is-handled-again-beside-a-pause-or-a-reset': async (context) => {
    const { store, opened } = context
    const table = opened.table('projection_checkpoints')
    for (const change of ["status = 'paused'", "pending_step = 'reset'", 'last_position = 0']) {
      const into = await model(context)
      let broken = true
      let tries = 0
      const projection = noting(into, {
        onError: 'park',
        handles: {
          tested: async (one: RecordedEvent, tx) => {
            await into.note(one, tx)
            if (broken) throw new Error('on purpose')
            if (tries++ > 0) return
            await opened.query(
              tx.client,
              `update ${table} set ${change} where projection_name = '${tx.name}'`,
            )
          },
        },
      })
      await store.append('a', [good()])
      const runner = run(context, [projection])
      await runner.caughtUp()
      broken = false
      await store.projections.parked.retry(projection.name)
      await runner.caughtUp()
      await expectAll(store, into)
      assert.ok(tries > 1, `the first try was not rolled back: ${change}`)
      await runner.stop()
    }
  },

  'a-stop-does-not-wait-for-all-that-is-to-be-handled-again': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    await store.append('a', [bad(), ...Array.from({ length: 30 }, good)])
    let runner = run(context, [projection])
    await runner.caughtUp()
    await runner.stop()
    state.on = false
    await store.projections.parked.retry(projection.name)
    let stopped: Promise<void> | undefined
    const again = noting(into, {
      name: projection.name,
      handles: {
        tested: async (one: RecordedEvent, tx) => {
          stopped ??= started(runner.stop())
          await into.note(one, tx)
        },
      },
    })
    runner = run(context, [again])
    await eventually(() => stopped !== undefined, 'a stop')
    await stopped
    same((await into.positions()).length, 1)
    runner = run(context, [again])
    await runner.caughtUp()
    await expectAll(store, into)
  },

  'a-rebuild-forgets-what-was-parked': async (context) => {
    const { store } = context
    const into = await model(context)
    const { projection, state } = failing(into, 'park')
    await store.append('a', [good(), bad(), good()])
    const runner = run(context, [projection])
    await runner.caughtUp()
    state.on = false
    await store.projections.rebuild(projection.name)
    await runner.caughtUp()
    same(await store.projections.parked.list(projection.name), [])
    await expectAll(store, into)
  },
})
