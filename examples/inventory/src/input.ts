import { readFileSync } from 'node:fs'

/** One line of the input: what somebody who is logged in at `via` wants done for `tenant`. */
export type Line = {
  /** Of the command: handled again, it is recognised. */
  readonly id: string
  readonly at: string
  readonly via: string
  readonly tenant: string
  readonly item: string
} & (
  | { readonly do: 'create'; readonly name: string }
  | { readonly do: 'adjust'; readonly delta: number; readonly reason: string }
)

const inputFile = new URL('../input/movements.jsonl', import.meta.url)

export function readInput(file: URL | string = inputFile): Line[] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}
