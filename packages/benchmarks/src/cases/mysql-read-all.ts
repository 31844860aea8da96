import type { Benchmark } from '../benchmark.ts'
import { openMysqlBench } from '../mysql-bench.ts'
import type { MysqlEngine } from '../mysql-bench.ts'
import { compareReadAll } from '../read-all-duel.ts'

/** The whole log, against pages of plain objects that mysql2 makes of the same rows, JSON parsed. */
const readAll = (engine: MysqlEngine): Benchmark => ({
  name: 'read-all',
  engine,
  async run(context) {
    const events = context.quick ? 20_000 : 100_000
    await using bench = await openMysqlBench(context, engine)
    const { store } = bench
    await bench.fill(events, 10, 'filled')
    await compareReadAll(context, { engine, store, events, target: 1.1, page: (after) => bench.page(after) })
  },
})

export const mysqlReadAll = readAll('mysql')
export const mariadbReadAll = readAll('mariadb')
