import { compareAppends } from '../append-duels.ts'
import type { Benchmark } from '../benchmark.ts'
import { openSqliteBench } from '../sqlite-bench.ts'

const targets = new Map([
  [1, 0.9],
  [16, 7],
  [64, 10],
])

/** In a file with synchronous=FULL, against a prepared INSERT in autocommit. */
export const sqliteAppend: Benchmark = {
  name: 'append',
  engine: 'sqlite',
  async run(context) {
    await using bench = await openSqliteBench()
    await compareAppends(context, bench, { benchmark: 'append 1, file', engine: 'sqlite', targets })
  },
}
