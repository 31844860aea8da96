import type { Benchmark } from '../benchmark.ts'
import { measuredInChild } from '../memory.ts'
import { openPostgresBench } from '../postgres-bench.ts'
import { spreadOf } from '../spread.ts'

/** The most memory that a process takes while it reads the whole log, against one that reads a tenth of it. */
export const postgresMemory: Benchmark = {
  name: 'memory',
  engine: 'postgres',
  async run(context) {
    const events = context.quick ? 50_000 : 1_000_000
    await using bench = await openPostgresBench(context)
    await bench.fill(events, 500)
    const few: number[] = []
    const all: number[] = []
    const ratios: number[] = []
    for (let round = 0; round < 3; round++) {
      const tenth = await measuredInChild(bench.url, events / 10)
      const whole = await measuredInChild(bench.url, events)
      few.push(tenth.rssMiB)
      all.push(whole.rssMiB)
      ratios.push(whole.rssMiB / tenth.rssMiB)
    }
    const note = `resident, at most: ${spreadOf(few).median.toFixed(0)} MiB for ${events / 10_000}k events, ${spreadOf(all).median.toFixed(0)} MiB for ${events / 1_000}k`
    context.report({
      benchmark: 'memory of readAll',
      engine: 'postgres',
      label: `${events / 1_000}k to ${events / 10_000}k`,
      unit: 'memory ratio',
      value: spreadOf(ratios),
      target: { atMost: 1.25 },
      note,
    })
  },
}
