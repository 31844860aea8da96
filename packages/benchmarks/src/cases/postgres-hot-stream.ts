import type { Benchmark } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { newOrder } from '../payload.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const targets = new Map([
  [16, 1.2],
  [64, 1.8],
  [256, 2.0],
])

/** All callers append to one stream, whatever its version. */
export const postgresHotStream: Benchmark = {
  name: 'hot-stream',
  engine: 'postgres',
  async run(context) {
    await using bench = await openPostgresBench(context)
    const { store } = bench
    await store.append('hot', [newOrder(0)])
    let number = 0
    let bareVersion = 0
    for (const [callers, target] of targets) {
      await duel(context, {
        benchmark: 'append 1, one stream',
        engine: 'postgres',
        label: `${callers} callers`,
        target: { atLeast: target },
        ours: () => runCallers(callers, context.roundMs, () => store.append('hot', [newOrder(number++)])),
        bare: () => runCallers(callers, context.roundMs, () => bench.insert('hot', ++bareVersion)),
      })
    }
  },
}
