import assert from 'node:assert/strict'
import type { RecordedEvent } from '../event.js'
import { defineProjection } from '../projection/define-projection.js'
import type { Projection } from '../projection/projection.js'
import type { OpenedStore } from './harness.js'
import { eventually, expectAll, model, named, noting, run } from './consume.js'
import { at, events, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

/** A projection with a table of its own in each version, that readers see through a view. */
function counting(opened: OpenedStore, name: string, view: string, version: number): Projection {
  return defineProjection({
    name,
    version,
    tables: [view],
    setUp: async (tx) => {
      await opened.query(
        tx.client,
        `create table ${tx.table(view)} (position bigint not null primary key, version int not null)`,
      )
    },
    handles: {
      tested: async (one: RecordedEvent, tx) => {
        await opened.query(
          tx.client,
          `insert into ${tx.table(view)} (position, version) values (${one.position}, ${version})`,
        )
      },
    },
  })
}

/** The name of a table in the store's own place, without quotes. */
const plain = (opened: OpenedStore, name: string): string => opened.table(name).replaceAll(/["`[\]]/g, '')

export const versions = topic('versions', {
  'a-new-version-is-built-beside-and-takes-over': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    await store.append('a', events(10))
    const old = run(context, [counting(opened, name, view, 1)])
    await old.caughtUp()
    const rows = async () =>
      (await opened.sql(`select version from ${view}`)).map(({ version }) => Number(version))
    same(
      await rows(),
      upTo(10).map(() => 1),
    )

    const next = run(context, [counting(opened, name, view, 2)], { checkpointEvery: 5 })
    await next.caughtUp()
    same(
      await rows(),
      upTo(10).map(() => 2),
    )
    same(
      (await store.projections.list())
        .filter((info) => info.name === name)
        .map((info) => [info.version, info.status]),
      [[2, 'running']],
    )
    await eventually(
      () => old.leases.some((lease) => lease.event === 'released'),
      'the end of the old version',
    )
    await refused(old.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    await store.append('a', events(2))
    await next.caughtUp()
    same((await rows()).length, 12)
    await assert.rejects(opened.sql(`select * from ${view}_v1`))
  },

  'readers-see-the-old-version-until-then': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    await store.append('a', events(8))
    const old = run(context, [counting(opened, name, view, 1)])
    await old.caughtUp()
    await old.stop()
    const counts = new Set<string>()
    const look = async (): Promise<void> => {
      const found = await opened.sql(`select version, count(*) as n from ${view} group by version`)
      counts.add(found.map(({ version, n }) => `${String(version)}:${String(n)}`).join())
    }
    const next = run(context, [counting(opened, name, view, 2)], {
      checkpointEvery: 1,
      onBatch: () => void look(),
    })
    await look()
    await next.caughtUp()
    await look()
    same([...counts].toSorted(), ['1:8', '2:8'])
  },

  'a-replaced-version-does-not-come-back': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    await store.append('a', events(3))
    const [one, two] = [counting(opened, name, view, 1), counting(opened, name, view, 2)]
    for (const projection of [one, two]) {
      const runner = run(context, [projection])
      await runner.caughtUp()
      await runner.stop()
    }
    const again = run(context, [one])
    await refused(again.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    same((await store.projections.get(name))?.version, 2)
    same((await opened.sql(`select * from ${view}`)).length, 3)
  },

  'both-may-run-in-one-process': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    await store.append('a', events(5))
    const first = run(context, [counting(opened, name, view, 1)])
    await first.caughtUp()
    await first.stop()
    const both = run(context, [counting(opened, name, view, 1), counting(opened, name, view, 2)])
    await store.append('a', events(5))
    await eventually(async () => (await store.projections.get(name))?.version === 2, 'the take-over')
    await eventually(
      () => both.leases.some((lease) => lease.version === 1 && lease.event === 'released'),
      'the end of v1',
    )
    same((await opened.sql(`select * from ${view}`)).length, 10)
  },

  'a-take-over-of-its-own-runs-once': async (context) => {
    const { store } = context
    const into = await model(context)
    const taken: number[] = []
    const name = named()
    await store.append('a', events(3))
    for (const version of upTo(2)) {
      const projection = noting(into, {
        name,
        version,
        handles: {},
        takeOver: (tx) => void taken.push(tx.version),
      })
      const runner = run(context, [projection])
      await runner.caughtUp()
      await store.append('a', events(1))
      await runner.caughtUp()
      await runner.stop()
      const again = run(context, [projection])
      await again.caughtUp()
      await again.stop()
    }
    same(taken, [1, 2])
  },

  'tables-that-were-not-declared-are-refused': async (context) => {
    const { store } = context
    const into = await model(context)
    await store.append('a', events(1))
    const runner = run(context, [noting(into, { tables: [], setUp: (tx) => void tx.table('anything') })])
    const error = await refused(runner.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    assert.match(error.message, /anything/)
  },

  'shards-share-the-streams': async (context) => {
    const { store, another, defer } = context
    const into = await model(context)
    const last = new Map<string, number>()
    const projection = noting(into, {
      shards: 4,
      handles: {
        tested: async (one: RecordedEvent, tx) => {
          await into.note(one, tx)
          // a piece may be done again, but nothing is passed over
          assert.ok(one.version <= (last.get(one.streamId) ?? 0) + 1, 'the order within a stream')
          last.set(one.streamId, one.version)
        },
      },
    })
    for (const n of upTo(40)) await store.append(`s-${n % 20}`, events(2))
    const runners = [run(context, [projection]), run({ store: await another(), defer }, [projection])]
    await at(runners, 0).caughtUp()
    for (const n of upTo(20)) await store.append(`s-${n}`, events(1))
    for (const runner of runners) await runner.caughtUp()
    await expectAll(store, into)
    const info = await store.projections.get(projection.name)
    same([info?.shards.length, info?.status, info?.eventsProcessed], [4, 'running', 100])
    assert.ok(
      (info?.shards ?? []).every((shard) => shard.eventsProcessed > 0),
      'each has some',
    )
    last.clear()
    await store.projections.rebuild(projection.name)
    await at(runners, 0).caughtUp()
    await expectAll(store, into)
    for (const runner of runners) await runner.stop()
    const other = run(context, [noting(into, { name: projection.name, shards: 2 })])
    await refused(other.caughtUp(), 'VARVE_INVALID_ARGUMENT')
  },

  'no-shard-takes-over-before-the-others-are-ready': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    for (const n of upTo(12)) await store.append(`s-${n}`, events(1))
    const old = run(context, [counting(opened, name, view, 1)])
    await old.caughtUp()
    await old.stop()
    let failing = true
    const sharded = defineProjection({
      name,
      version: 2,
      shards: 3,
      tables: [view],
      setUp: (tx) =>
        opened.query(tx.client, `create table ${tx.table(view)} (position bigint not null primary key)`),
      handles: {
        tested: async (one, tx) => {
          if (failing && one.streamId === 's-1') throw new Error('not yet')
          await opened.query(tx.client, `insert into ${tx.table(view)} (position) values (${one.position})`)
        },
      },
    })
    const next = run(context, [sharded])
    await refused(next.caughtUp(), 'VARVE_PROJECTION_FAULTED')
    const end = await store.settledPosition()
    const othersAreThere = async (): Promise<boolean> =>
      (await store.projections.get(name, 2))?.shards.filter((shard) => shard.lastPosition >= end).length === 2
    await eventually(othersAreThere, 'the other shards at the end')
    same((await opened.sql(`select version from ${view}`)).length, 12)
    failing = false
    await store.projections.resume(name, 2)
    await next.caughtUp()
    same(
      (await opened.sql(`select * from ${view}`)).map((row) => 'version' in row),
      upTo(12).map(() => false),
    )
  },

  'shards-take-over-together': async (context) => {
    const { store, opened } = context
    const name = named()
    const view = plain(opened, `view_${name}`)
    for (const n of upTo(30)) await store.append(`s-${n}`, events(1))
    const old = run(context, [counting(opened, name, view, 1)])
    await old.caughtUp()
    await old.stop()
    const sharded = defineProjection({
      name,
      version: 2,
      shards: 3,
      tables: [view],
      setUp: (tx) =>
        opened.query(tx.client, `create table ${tx.table(view)} (position bigint not null primary key)`),
      handles: {
        tested: (one, tx) =>
          opened.query(tx.client, `insert into ${tx.table(view)} (position) values (${one.position})`),
      },
    })
    const next = run(context, [sharded])
    await next.caughtUp()
    same((await opened.sql(`select position from ${view}`)).length, 30)
    same(
      (await store.projections.list()).filter((info) => info.name === name).map((info) => info.version),
      [2],
    )
  },
})
