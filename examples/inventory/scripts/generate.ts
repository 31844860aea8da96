// Writes the input and what it must lead to: pnpm --filter @varve/example-inventory generate
import { writeFileSync } from 'node:fs'
import { makeInput } from './make-input.ts'

const { lines, expected } = makeInput()
writeFileSync(new URL('../input/movements.jsonl', import.meta.url), `${lines.join('\n')}\n`)
writeFileSync(
  new URL('../input/expected.json', import.meta.url),
  `${JSON.stringify(expected, undefined, 2)}\n`,
)
console.log(`${lines.length} lines, ${expected.events} events, ${expected.refused.length} refusals`)
