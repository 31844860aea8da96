import { readFileSync } from 'node:fs'
import type { Transfer } from './transfer.ts'

interface Issued {
  /** Of the command: handled again, it is recognised. */
  readonly id: string
  readonly at: string
}

export type Line = Issued &
  (
    | { readonly do: 'open'; readonly account: string; readonly owner: string }
    | { readonly do: 'deposit'; readonly account: string; readonly cents: number }
    | { readonly do: 'limit'; readonly cents: number | null }
    | ({ readonly do: 'transfer' } & Transfer)
  )

const inputFile = new URL('../input/commands.jsonl', import.meta.url)

export function readInput(file: URL | string = inputFile): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}
