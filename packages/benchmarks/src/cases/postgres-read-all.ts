import type { Benchmark } from '../benchmark.ts'
import { runOnce } from '../callers.ts'
import { duel } from '../duel.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const PAGE = 1_000

/** The whole log, against pages of plain objects that `pg` makes of the same rows, JSON parsed. */
export const postgresReadAll: Benchmark = {
  name: 'read-all',
  engine: 'postgres',
  async run(context) {
    const events = context.quick ? 20_000 : 100_000
    await using bench = await openPostgresBench(context)
    const { store, pool } = bench
    await bench.fill(events, 10)
    await duel(context, {
      benchmark: 'readAll',
      engine: 'postgres',
      label: `${events / 1000}k events`,
      target: { atLeast: 1.3 },
      ours: () =>
        runOnce(events, async () => {
          let read = 0
          for await (const event of store.readAll()) read += event.position > 0 ? 1 : 0
          if (read !== events) throw new Error(`read ${read} events of ${events}`)
        }),
      bare: () =>
        runOnce(events, async () => {
          let read = 0
          for (let after = '0'; ;) {
            const { rows } = await pool.query<{ position: string }>(
              `select * from varve.events where position > $1 order by position limit ${PAGE}`,
              [after],
            )
            read += rows.length
            const last = rows.at(-1)
            if (last === undefined) break
            after = last.position
          }
          if (read !== events) throw new Error(`read ${read} rows of ${events}`)
        }),
    })
  },
}
