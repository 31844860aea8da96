import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openEventStore } from '@varve/core'
import { runScenario } from './scenario.ts'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((each) => each !== '--'),
  options: { url: { type: 'string' } },
})
// a file and not memory: a worker in another process has to see it
const folder = mkdtempSync(join(tmpdir(), 'varve-example-webhooks-'))
const url = values.url ?? `sqlite:${join(folder, 'events.db')}`
const store = await openEventStore(url, { preset: 'development' })
try {
  await store.migrate()
  const ok = await runScenario({ store, url, write: (line) => console.log(line) })
  console.log(ok ? '\nAll expectations hold.' : '\nNot all expectations hold.')
  process.exitCode = ok ? 0 : 1
} finally {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}
