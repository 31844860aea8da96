import { openEventStore } from '@varve/core'
import { readArguments, withoutPassword } from './args.ts'
import { runBank } from './bank.ts'
import { restoreTo } from './restore.ts'
import { tamperAndVerify } from './tamper.ts'
import { TENANT } from './tenant.ts'

const { url, scenario } = readArguments(process.argv.slice(2))
const write = (line: string) => console.log(line)

process.exitCode = (await run()) ? 0 : 1

async function run(): Promise<boolean> {
  if (scenario === 'tamper') return tamperAndVerify(write)
  write(`varve example: a bank on ${withoutPassword(url)}`)
  const store = await openEventStore(url, { tenantId: TENANT, preset: 'development' })
  try {
    await store.migrate()
    if (scenario === 'restore') return await restoreTo(store, write)
    const { ok } = await runBank({ store, write })
    write(ok ? '\nAll expectations hold.' : '\nNot all expectations hold.')
    return ok
  } finally {
    await store.close()
  }
}
