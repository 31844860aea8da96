import type { Context, Engine } from './benchmark.ts'
import { cpuNow } from './cpu.ts'
import type { Cpu } from './cpu.ts'
import type { SideFigure, Target } from './figure.ts'
import { latenciesOf } from './latencies.ts'
import type { Latencies } from './latencies.ts'
import { median, spreadOf } from './spread.ts'

/** What one side did in one round. */
export interface Run {
  readonly operations: number
  readonly elapsedMs: number
  /** Of each call, in milliseconds. */
  readonly latencies: readonly number[]
}

export interface Duel {
  readonly benchmark: string
  readonly engine: Engine
  readonly label: string
  readonly target?: Target
  readonly p99Target?: Target
  readonly ours: () => Promise<Run>
  readonly bare: () => Promise<Run>
}

interface Measured {
  readonly perSecond: number
  readonly latencies: Latencies
  /** Per operation, in milliseconds. */
  readonly cpu: Cpu
}

/**
 * Runs both sides in turn, the other one first in every second round, so that what changes meanwhile on the machine or in
 * the tables hits both. The ratio is taken round by round.
 */
export async function duel(
  context: Context,
  { benchmark, engine, label, target, p99Target, ...sides }: Duel,
) {
  const ours: Measured[] = []
  const bare: Measured[] = []
  const measure = async (run: () => Promise<Run>, into: Measured[]) => {
    globalThis.gc?.()
    const before = cpuNow(context.servers.pid(engine))
    const { operations, elapsedMs, latencies } = await run()
    const after = cpuNow(context.servers.pid(engine))
    into.push({
      perSecond: (operations / elapsedMs) * 1000,
      latencies: latenciesOf(latencies),
      cpu: {
        client: (after.client - before.client) / operations,
        server: (after.server - before.server) / operations,
      },
    })
  }
  const warmUp: Measured[] = []
  await measure(sides.ours, warmUp)
  await measure(sides.bare, warmUp)
  for (let round = 0; round < context.rounds; round++) {
    if (round % 2 === 0) await measure(sides.ours, ours)
    await measure(sides.bare, bare)
    if (round % 2 === 1) await measure(sides.ours, ours)
  }
  const ratios = (of: (side: Measured) => number) =>
    spreadOf(ours.map((side, round) => of(side) / of(bare[round] ?? side)))
  const shared = { benchmark, engine, label, ours: sideOf(ours), bare: sideOf(bare) }
  context.report({
    ...shared,
    unit: 'ratio',
    value: ratios((side) => side.perSecond),
    ...(target && { target }),
  })
  if (p99Target !== undefined) {
    context.report({
      ...shared,
      unit: 'p99 ratio',
      value: ratios((side) => side.latencies.p99),
      target: p99Target,
    })
  }
}

function sideOf(rounds: readonly Measured[]): SideFigure {
  return {
    perSecond: median(rounds.map((round) => round.perSecond)),
    latencies: {
      p50: median(rounds.map((round) => round.latencies.p50)),
      p99: median(rounds.map((round) => round.latencies.p99)),
    },
    cpu: {
      client: median(rounds.map((round) => round.cpu.client)),
      server: median(rounds.map((round) => round.cpu.server)),
    },
  }
}
