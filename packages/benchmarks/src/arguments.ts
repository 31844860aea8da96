import { parseArgs } from 'node:util'
import type { Engine } from './benchmark.ts'

export interface Arguments {
  /** Names of benchmarks; empty means all. */
  readonly names: readonly string[]
  readonly engine: Engine | undefined
  readonly quick: boolean
  readonly full: boolean
  readonly rounds: number
  readonly roundMs: number
  /** Where the JSON goes. */
  readonly out: string | undefined
}

const engines: readonly string[] = ['postgres', 'sqlite', 'mysql', 'mariadb'] satisfies Engine[]

/** `[name…] [--engine=…] [--quick | --full] [--rounds=5] [--out=path]` */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      engine: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const { engine, quick, full } = values
  if (engine !== undefined && !engines.includes(engine)) {
    throw new RangeError(`--engine is one of ${engines.join(', ')}; not ${engine}`)
  }
  const rounds = values.rounds === undefined ? (quick ? 3 : 5) : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds is a number from 1 on')
  return {
    names: positionals,
    engine: engine as Engine | undefined,
    quick,
    full,
    rounds,
    roundMs: quick ? 500 : 2_000,
    out: values.out,
  }
}
