import type { Benchmark } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const STREAMS = 200

/** Streams of 100 events, against an unprepared query of the same rows by `pg` with its defaults. */
export const postgresReadStream: Benchmark = {
  name: 'read-stream',
  engine: 'postgres',
  async run(context) {
    await using bench = await openPostgresBench(context)
    const { store, pool } = bench
    await bench.fill(STREAMS * 100, 100)
    let turn = 0
    const next = () => `filled-${turn++ % STREAMS}`
    await duel(context, {
      benchmark: 'readStream',
      engine: 'postgres',
      label: '100 events',
      target: { atLeast: 1.8 },
      ours: () =>
        runCallers(1, context.roundMs, async () => {
          const events = await store.readStream(next()).toArray()
          if (events.length !== 100) throw new Error(`read ${events.length} events`)
        }),
      bare: () =>
        runCallers(1, context.roundMs, async () => {
          const { rows } = await pool.query(
            `select * from varve.events where tenant_id = $1 and stream_id = $2 order by version`,
            ['default', next()],
          )
          if (rows.length !== 100) throw new Error(`read ${rows.length} rows`)
        }),
    })
  },
}
