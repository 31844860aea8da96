import { readFileSync } from 'node:fs'

export type Refusal = 'zero delta' | 'not enough stock' | 'wrong tenant'

export interface StockRow {
  readonly tenant: string
  readonly item: string
  readonly name: string
  readonly quantity: number
  readonly movements: number
}

/** What the input must lead to; written by scripts/generate.ts from a model of its own. */
export interface Expected {
  /** By tenant and item. */
  readonly stock: readonly StockRow[]
  readonly refused: readonly { readonly id: string; readonly reason: Refusal }[]
  readonly events: number
}

const expectedFile = new URL('../input/expected.json', import.meta.url)

export function readExpected(): Expected {
  return JSON.parse(readFileSync(expectedFile, 'utf8')) as Expected
}
