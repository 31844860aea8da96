import type { Figure } from './figure.ts'
import type { Servers } from './servers.ts'

export type Engine = 'postgres' | 'sqlite' | 'mysql' | 'mariadb'

export interface Context {
  readonly servers: Servers
  /** Shorter rounds and smaller logs: to see whether everything runs, not to quote. */
  readonly quick: boolean
  /** Logs of the largest size, where the usual one is smaller: takes many minutes. */
  readonly full: boolean
  readonly rounds: number
  /** How long one side of a round runs. */
  readonly roundMs: number
  /** Called with each figure as soon as it is known. */
  report(figure: Figure): void
}

/** One file in `cases/`; it reports its figures one by one. */
export interface Benchmark {
  readonly name: string
  readonly engine: Engine
  run(context: Context): Promise<void>
}
