import { createSqliteEventStore } from '@varve/sqlite'
import type { Benchmark } from '../benchmark.ts'
import { spreadOf } from '../spread.ts'

/** Opening an empty store in memory with its schema, as unit tests do. */
export const sqliteOpen: Benchmark = {
  name: 'open',
  engine: 'sqlite',
  async run(context) {
    const times: number[] = []
    for (let count = 0; count < 120; count++) {
      const begun = performance.now()
      const store = createSqliteEventStore()
      await store.migrate()
      const elapsed = performance.now() - begun
      await store.close()
      if (count >= 20) times.push(elapsed)
    }
    context.report({
      benchmark: 'open in memory',
      engine: 'sqlite',
      label: 'with its schema',
      unit: 'ms',
      value: spreadOf(times),
      target: { atMost: 3 },
    })
  },
}
