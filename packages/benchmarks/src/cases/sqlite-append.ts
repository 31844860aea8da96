import type { Benchmark } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { newOrder } from '../payload.ts'
import { openSqliteBench } from '../sqlite-bench.ts'

const STREAMS_PER_CALLER = 8
const MAX_CALLERS = 64

const targets = new Map([
  [1, 0.9],
  [16, 7],
  [64, 10],
])

/** One event to streams that exist, in a file with synchronous=FULL, against a prepared INSERT in autocommit. */
export const sqliteAppend: Benchmark = {
  name: 'append',
  engine: 'sqlite',
  async run(context) {
    await using bench = await openSqliteBench()
    const { store } = bench
    const streams = MAX_CALLERS * STREAMS_PER_CALLER
    await bench.fill(streams * 5, 5, 'order')
    const versions = Array.from({ length: streams }, () => 5)
    const bareVersions = Array.from({ length: streams }, () => 0)
    let turn = 0
    const nextStream = (caller: number) => caller * STREAMS_PER_CALLER + (turn++ % STREAMS_PER_CALLER)
    for (const [callers, target] of targets) {
      let number = 0
      await duel(context, {
        benchmark: 'append 1, file',
        engine: 'sqlite',
        label: `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
        target: { atLeast: target },
        ours: () =>
          runCallers(callers, context.roundMs, async (caller) => {
            const stream = nextStream(caller)
            const expectedVersion = versions[stream] ?? 0
            versions[stream] = expectedVersion + 1
            await store.append(`order-${stream}`, [newOrder(number++)], { expectedVersion })
          }),
        bare: () =>
          runCallers(callers, context.roundMs, async (caller) => {
            const stream = nextStream(caller)
            const version = (bareVersions[stream] ?? 0) + 1
            bareVersions[stream] = version
            bench.insert(`order-${stream}`, version)
          }),
      })
    }
  },
}
