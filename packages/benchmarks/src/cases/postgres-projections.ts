import { defineProjection } from '@varve/core'
import type { Projection } from '@varve/core'
import type { PoolClient } from 'pg'
import type { Benchmark } from '../benchmark.ts'
import { runOnce } from '../callers.ts'
import { duel } from '../duel.ts'
import { openPostgresBench } from '../postgres-bench.ts'

/** A projection that catches up with a whole log: against reading it, and against the same statements by hand. */
export const postgresProjections: Benchmark = {
  name: 'projections',
  engine: 'postgres',
  async run(context) {
    const events = context.quick ? 20_000 : 100_000
    await using bench = await openPostgresBench(context)
    const { store, pool } = bench
    await bench.fill(events, 10)
    await pool.query('create table model (stream_id text primary key, events int not null)')
    let number = 0
    const catchUp = async (handler: Projection<PoolClient>['handles'][string]): Promise<void> => {
      const projection = defineProjection<PoolClient>({
        name: `bench_${++number}`,
        handles: { 'order.placed': handler },
      })
      const runner = store.projections.run([projection])
      await runner.caughtUp()
      await runner.stop()
      const info = await store.projections.get(projection.name)
      if (info?.eventsProcessed !== events)
        throw new Error(`handled ${info?.eventsProcessed} events of ${events}`)
    }
    await duel(context, {
      benchmark: 'projection',
      engine: 'postgres',
      label: `${events / 1000}k events, empty handler, vs readAll`,
      target: { atLeast: 0.6 },
      ours: () => runOnce(events, () => catchUp(() => undefined)),
      bare: () =>
        runOnce(events, async () => {
          let read = 0
          for await (const event of store.readAll()) read += event.position > 0 ? 1 : 0
          if (read !== events) throw new Error(`read ${read} events of ${events}`)
        }),
    })
    const update = {
      name: 'update-model',
      text: 'insert into model values ($1, 1) on conflict (stream_id) do update set events = model.events + 1',
    }
    const some = events / 5
    await duel(context, {
      benchmark: 'projection',
      engine: 'postgres',
      label: `${some / 1000}k events, one row each, vs by hand`,
      target: { atLeast: 0.5 },
      ours: () =>
        runOnce(some, async () => {
          let handled = 0
          await catchUp((event, tx) =>
            handled++ < some ? tx.client.query({ ...update, values: [event.streamId] }) : undefined,
          )
        }),
      bare: () =>
        runOnce(some, async () => {
          const client = await pool.connect()
          let inPiece = 0
          let left = some
          for await (const event of store.readAll({ limit: events })) {
            if (left-- <= 0) continue
            if (inPiece === 0) await client.query('begin')
            await client.query({ ...update, values: [event.streamId] })
            if (++inPiece === 100) {
              await client.query('commit')
              inPiece = 0
            }
          }
          if (inPiece > 0) await client.query('commit')
          client.release()
        }),
    })
  },
}
