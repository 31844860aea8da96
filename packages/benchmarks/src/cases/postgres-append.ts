import { compareAppends } from '../append-duels.ts'
import type { Benchmark } from '../benchmark.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const targets = {
  jsonb: new Map([
    [1, 0.8],
    [16, 1.5],
    [64, 2.3],
    [256, 2.5],
  ]),
  json: new Map([
    [1, 0.8],
    [16, 1.7],
    [64, 2.9],
    [256, 3.2],
  ]),
}

const p99Targets = new Map([[64, 0.7]])

/** One event to streams that exist, with the data as jsonb and as json. */
export const postgresAppend: Benchmark = {
  name: 'append',
  engine: 'postgres',
  async run(context) {
    for (const dataType of ['jsonb', 'json'] as const) {
      await using bench = await openPostgresBench(context, dataType)
      await compareAppends(context, bench, {
        benchmark: `append 1, ${dataType}`,
        engine: 'postgres',
        targets: targets[dataType],
        p99Targets,
      })
    }
  },
}
