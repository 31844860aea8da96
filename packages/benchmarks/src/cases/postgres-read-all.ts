import type { Benchmark } from '../benchmark.ts'
import { openPostgresBench } from '../postgres-bench.ts'
import { compareReadAll, PAGE } from '../read-all-duel.ts'

/** The whole log, against pages of plain objects that `pg` makes of the same rows, JSON parsed. */
export const postgresReadAll: Benchmark = {
  name: 'read-all',
  engine: 'postgres',
  async run(context) {
    const events = context.quick ? 20_000 : 100_000
    await using bench = await openPostgresBench(context)
    const { store, pool } = bench
    await bench.fill(events, 10)
    await compareReadAll(context, {
      engine: 'postgres',
      store,
      events,
      target: 1.3,
      async page(after) {
        const text = `select * from varve.events where position > $1 order by position limit ${PAGE}`
        const { rows } = await pool.query<{ position: string }>(text, [after])
        return rows
      },
    })
  },
}
