import type { Benchmark } from '../benchmark.ts'
import { measuredInChild } from '../memory.ts'
import type { Memory } from '../memory.ts'
import { openPostgresBench } from '../postgres-bench.ts'
import { median, spreadOf } from '../spread.ts'

const ROUNDS = 3

/** The memory of a process that reads the whole log, against one that reads a tenth of it. */
export const postgresMemory: Benchmark = {
  name: 'memory',
  engine: 'postgres',
  async run(context) {
    const events = context.quick ? 50_000 : 1_000_000
    await using bench = await openPostgresBench(context)
    await bench.fill(events, 500)
    const tenth: Memory[] = []
    const whole: Memory[] = []
    for (let round = 0; round < ROUNDS; round++) {
      tenth.push(await measuredInChild(bench.url, events / 10))
      whole.push(await measuredInChild(bench.url, events))
    }
    const label = `${events / 1_000}k to ${events / 10_000}k`
    const report = (benchmark: string, of: (memory: Memory) => number, target?: { atMost: number }) => {
      const most = (measured: readonly Memory[]) => median(measured.map(of)).toFixed(0)
      context.report({
        benchmark,
        engine: 'postgres',
        label,
        unit: 'memory ratio',
        value: spreadOf(whole.map((memory, round) => of(memory) / of(tenth[round] ?? memory))),
        note: `${most(whole)} MiB to ${most(tenth)} MiB`,
        ...(target && { target }),
      })
    }
    report('readAll, live', (memory) => memory.liveMiB, { atMost: 1.25 })
    report('readAll, resident', (memory) => memory.rssMiB)
  },
}
