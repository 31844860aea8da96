import { compareAppends } from '../append-duels.ts'
import type { Benchmark } from '../benchmark.ts'
import { openMysqlBench } from '../mysql-bench.ts'
import type { MysqlEngine } from '../mysql-bench.ts'

const targets = new Map([
  [1, 0.7],
  [16, 1.1],
  [64, 1.7],
])

const append = (engine: MysqlEngine): Benchmark => ({
  name: 'append',
  engine,
  async run(context) {
    await using bench = await openMysqlBench(context, engine)
    await compareAppends(context, bench, { benchmark: 'append 1', engine, targets })
  },
})

export const mysqlAppend = append('mysql')
export const mariadbAppend = append('mariadb')
