import { readFileSync } from 'node:fs'

/** What the input must lead to; written by scripts/generate.ts from a model of its own. */
export interface Expected {
  readonly balances: Readonly<Record<string, number>>
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  readonly total: number
  readonly events: number
  /** SHA-256 over the checksums of all events in the order of the log: the same on every adapter. */
  readonly log: string
}

const expectedFile = new URL('../input/expected.json', import.meta.url)

export function readExpected(): Expected {
  return JSON.parse(readFileSync(expectedFile, 'utf8')) as Expected
}
