import { parseArgs } from 'node:util'
import { openEventStore } from '@varve/core'
import { runOrders } from './orders.ts'
import { runTransfers } from './transfers.ts'

// pnpm hands its own `--` on
const args = process.argv.slice(2).filter((argument) => argument !== '--')
const { values } = parseArgs({ args, options: { url: { type: 'string', default: 'sqlite::memory:' } } })
const write = (line: string): void => console.log(line)

const opened = await openEventStore(values.url)
try {
  await opened.migrate()
  const transfers = await runTransfers({ opened, write })
  const orders = await runOrders(opened, write)
  const ok = transfers.ok && orders.ok
  write(ok ? '\nAll expectations hold.' : '\nNot all expectations hold.')
  process.exitCode = ok ? 0 : 1
} finally {
  await opened.close()
}
