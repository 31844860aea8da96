import type { Benchmark } from '../benchmark.ts'
import { loadAggregate } from '../load-aggregate.ts'
import { openSqliteBench } from '../sqlite-bench.ts'

export const sqliteLoad: Benchmark = {
  name: 'load',
  engine: 'sqlite',
  async run(context) {
    await using bench = await openSqliteBench()
    await loadAggregate(context, 'sqlite', bench.store)
  },
}
