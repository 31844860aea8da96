import type { Engine } from './benchmark.ts'
import type { Cpu } from './cpu.ts'
import type { Latencies } from './latencies.ts'
import type { Spread } from './spread.ts'

/** One side's part of a comparison. */
export interface SideFigure {
  readonly perSecond: number
  readonly latencies: Latencies
  /** Per operation, in milliseconds; it depends least on what else runs on the machine. */
  readonly cpu: Cpu
}

/** One line of the table. */
export interface Figure {
  readonly benchmark: string
  readonly engine: Engine
  /** What was measured, e.g. `64 callers`. */
  readonly label: string
  /** `ratio`: ours to the bare driver's, above 1 is faster. `p99 ratio`: below 1 is faster. */
  readonly unit: 'ratio' | 'p99 ratio' | 'ms' | 'memory ratio'
  readonly value: Spread
  readonly target?: Target
  readonly ours?: SideFigure
  readonly bare?: SideFigure
  readonly note?: string
}

export type Target = { readonly atLeast: number } | { readonly atMost: number }

export function isMet(figure: Figure): boolean | undefined {
  const { target, value } = figure
  if (target === undefined) return undefined
  return 'atLeast' in target ? value.median >= target.atLeast : value.median <= target.atMost
}

/**
 * The bare driver's processor time to ours, client and server together: above 1 we need less. What others do on the machine
 * changes it little, while it may turn the ratio of the speeds around.
 */
export function workRatio({ ours, bare }: Figure): number | undefined {
  if (ours === undefined || bare === undefined) return undefined
  return (bare.cpu.client + bare.cpu.server) / (ours.cpu.client + ours.cpu.server)
}
