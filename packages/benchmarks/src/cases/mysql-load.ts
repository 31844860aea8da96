import { createMysqlEventStore } from '@varve/mysql'
import type { Benchmark } from '../benchmark.ts'
import { loadAggregate } from '../load-aggregate.ts'
import type { MysqlEngine } from '../mysql-bench.ts'

const load = (engine: MysqlEngine): Benchmark => ({
  name: 'load',
  engine,
  async run(context) {
    const database = await context.servers.mysqlDatabase(engine)
    const store = createMysqlEventStore({ uri: database.url, preset: 'production' })
    try {
      await store.migrate()
      await loadAggregate(context, engine, store)
    } finally {
      await store.close()
      await database.drop()
    }
  },
})

export const mysqlLoad = load('mysql')
export const mariadbLoad = load('mariadb')
