// Writes the input and what it must lead to: pnpm --filter @varve/example-transfer generate
import { writeFileSync } from 'node:fs'
import { openEventStore } from '@varve/core'
import { handle } from '../src/handle.ts'
import { readInput } from '../src/input.ts'
import { logDigest } from '../src/log-digest.ts'
import { makeInput } from './make-input.ts'

const { lines, expected } = makeInput()
writeFileSync(new URL('../input/commands.jsonl', import.meta.url), `${lines.join('\n')}\n`)

const store = await openEventStore('sqlite::memory:', { tenantId: 'transfers' })
await store.migrate()
for (const line of readInput()) await handle(store, line)
const log = await logDigest(store)
await store.close()

const text = `${JSON.stringify({ ...expected, log }, undefined, 2)}\n`
writeFileSync(new URL('../input/expected.json', import.meta.url), text)
console.log(`${lines.length} lines, ${expected.events} events, ${expected.refused.length} refusals`)
