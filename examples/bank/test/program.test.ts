import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openEventStore } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { DOCUMENTS_ACCOUNT } from '../src/documents.ts'
import { TENANT } from '../src/tenant.ts'
import { adapters, databases, type OpenDatabase } from './databases.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

// a process of its own, on the built packages, as somebody who tries the example starts it
function run(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}

describe('the program', () => {
  it('ends with 0 when all expectations hold', async () => {
    expect(await run()).toMatchObject({ code: 0, output: expect.stringContaining('All expectations hold') })
  })

  it.each(['sqlite in a file', 'postgres'])(
    'runs in two processes at once, and again, on %s',
    async (name) => {
      await using database = await databaseOn(name)
      const url = `--url=${database.url}`
      const held = { code: 0, output: expect.stringContaining('All expectations hold') }
      expect(await Promise.all([run(url), run(url)])).toMatchObject([held, held])
      expect(await run(url)).toMatchObject({ code: 0, output: expect.stringContaining('stored already') })
    },
  )

  it('ends with 1 when the log is not as expected', async () => {
    await using database = await databaseOn('sqlite in a file')
    const url = `--url=${database.url}`
    expect(await run(url)).toMatchObject({ code: 0 })

    const store = await openEventStore(database.url, { tenantId: TENANT, adapters })
    const data = { aggregateId: DOCUMENTS_ACCOUNT, amount: '0.01', reference: 'DEP-EXTRA' }
    await store.append(DOCUMENTS_ACCOUNT, [{ type: 'money.deposited', data }])
    await store.close()
    expect(await run(url)).toMatchObject({ code: 1, output: expect.stringContaining('FAIL') })
  })

  it('finds the event that was tampered with', async () => {
    expect(await run('--', '--scenario=tamper')).toMatchObject({ code: 0 })
  })

  it('restores up to a position', async () => {
    expect(await run('--scenario=restore')).toMatchObject({ code: 0 })
  })

  it('refuses a scenario that there is not', async () => {
    const { code, output } = await run('--scenario=robbery')
    expect(code).toBe(1)
    expect(output).toContain('bank, tamper, restore')
  })
})

async function databaseOn(name: string): Promise<OpenDatabase & AsyncDisposable> {
  const database = await databases[name]?.()
  if (database === undefined) throw new Error(`there is no database '${name}'`)
  return { ...database, [Symbol.asyncDispose]: () => database.drop() }
}
