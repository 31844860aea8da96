import Database from 'better-sqlite3'
import type { Benchmark } from '../benchmark.ts'
import { compareReadAll, PAGE } from '../read-all-duel.ts'
import { openSqliteBench } from '../sqlite-bench.ts'

interface Row {
  position: number
  event_data: unknown
  metadata: unknown
  tags: unknown
}

/** The whole log of a file, against pages of `all()` with the JSON parsed. */
export const sqliteReadAll: Benchmark = {
  name: 'read-all',
  engine: 'sqlite',
  async run(context) {
    const events = context.quick ? 20_000 : 100_000
    await using bench = await openSqliteBench()
    const { store } = bench
    await bench.fill(events, 10, 'filled')
    const bare = new Database(bench.filename, { readonly: true })
    const select = bare.prepare<[number | string], Row>(
      `select * from events where position > ? order by position limit ${PAGE}`,
    )
    await compareReadAll(context, {
      engine: 'sqlite',
      store,
      events,
      target: 1.1,
      async page(after) {
        const rows = select.all(after)
        for (const row of rows) {
          row.event_data = JSON.parse(String(row.event_data))
          row.metadata = JSON.parse(String(row.metadata))
          row.tags = JSON.parse(String(row.tags))
        }
        return rows
      },
    })
    bare.close()
  },
}
