import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@varve/test-servers/vitest'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface OpenDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** Every database that the example must give the same result on; one more is one more line. */
const databases: Readonly<Record<string, () => Promise<OpenDatabase>>> = {
  sqlite: async () => sqliteFile(),
  postgres: () => createDatabase('postgres'),
  mysql: () => createDatabase('mysql'),
  mariadb: () => createDatabase('mariadb'),
}

function sqliteFile(): OpenDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'varve-webhooks-'))
  return {
    url: `sqlite:${join(folder, 'events.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

// a process of its own, on the built packages, as somebody who tries the example starts it
function run(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}

it.each(Object.keys(databases))(
  'comes out as expected on %s, and again on the same database',
  async (name) => {
    const database = await databases[name]?.()
    if (database === undefined) throw new Error(`there is no database '${name}'`)
    try {
      for (let time = 0; time < 2; time++) {
        const { code, output } = await run(`--url=${database.url}`)
        expect({ code, output }).toMatchObject({
          code: 0,
          output: expect.stringContaining('All expectations hold'),
        })
      }
    } finally {
      await database.drop()
    }
  },
)

it('needs nothing but itself', async () => {
  expect(await run()).toMatchObject({ code: 0 })
})
