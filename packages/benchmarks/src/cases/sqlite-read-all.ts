import Database from 'better-sqlite3'
import type { Benchmark } from '../benchmark.ts'
import { runOnce } from '../callers.ts'
import { duel } from '../duel.ts'
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
    const page = bare.prepare<[number], Row>(
      'select * from events where position > ? order by position limit 1000',
    )
    await duel(context, {
      benchmark: 'readAll, file',
      engine: 'sqlite',
      label: `${events / 1000}k events`,
      target: { atLeast: 1.1 },
      ours: () =>
        runOnce(events, async () => {
          let read = 0
          for await (const event of store.readAll()) read += event.position > 0 ? 1 : 0
          if (read !== events) throw new Error(`read ${read} events of ${events}`)
        }),
      bare: () =>
        runOnce(events, async () => {
          let read = 0
          for (let after = 0; ;) {
            const rows = page.all(after)
            for (const row of rows) {
              row.event_data = JSON.parse(String(row.event_data))
              row.metadata = JSON.parse(String(row.metadata))
              row.tags = JSON.parse(String(row.tags))
            }
            read += rows.length
            const last = rows.at(-1)
            if (last === undefined) break
            after = last.position
          }
          if (read !== events) throw new Error(`read ${read} rows of ${events}`)
        }),
    })
    bare.close()
  },
}
