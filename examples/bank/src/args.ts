import { parseArgs } from 'node:util'

export const scenarios = ['bank', 'tamper', 'restore'] as const
export type Scenario = (typeof scenarios)[number]

export interface Arguments {
  readonly url: string
  readonly scenario: Scenario
}

export function readArguments(argv: readonly string[]): Arguments {
  // pnpm hands its own `--` on
  const args = argv.filter((argument) => argument !== '--')
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string', default: 'sqlite::memory:' },
      scenario: { type: 'string', default: 'bank' },
    },
  })
  const scenario = scenarios.find((name) => name === values.scenario)
  if (scenario === undefined) {
    throw new Error(`--scenario must be one of ${scenarios.join(', ')}, is '${values.scenario}'`)
  }
  return { url: values.url, scenario }
}

/** A URL that may be shown: without a password. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@')
}
