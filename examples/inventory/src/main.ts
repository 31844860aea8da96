import { parseArgs } from 'node:util'
import { openEventStore } from '@varve/core'
import { runInventory } from './inventory.ts'

// pnpm hands its own `--` on
const args = process.argv.slice(2).filter((argument) => argument !== '--')
const { values } = parseArgs({ args, options: { url: { type: 'string', default: 'sqlite::memory:' } } })

const store = await openEventStore(values.url)
try {
  await store.migrate()
  const ok = await runInventory({ store, url: values.url, write: (line) => console.log(line) })
  console.log(ok ? '\nAll expectations hold.' : '\nNot all expectations hold.')
  process.exitCode = ok ? 0 : 1
} finally {
  await store.close()
}
