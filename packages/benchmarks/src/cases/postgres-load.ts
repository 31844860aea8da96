import type { Benchmark } from '../benchmark.ts'
import { loadAggregate } from '../load-aggregate.ts'
import { openPostgresBench } from '../postgres-bench.ts'

export const postgresLoad: Benchmark = {
  name: 'load',
  engine: 'postgres',
  async run(context) {
    await using bench = await openPostgresBench(context)
    await loadAggregate(context, 'postgres', bench.store)
  },
}
