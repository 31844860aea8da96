import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { isAlive } from '../src/process-tree.mjs'

test('a server does not outlive the process that started it', async () => {
  const script = fileURLToPath(new URL('start-and-wait.ts', import.meta.url))
  const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string]
  const { pid, data } = JSON.parse(line) as { pid: number; data: string }
  expect(isAlive(pid)).toBe(true)

  owner.kill('SIGKILL')

  await vi.waitFor(
    () => {
      expect(isAlive(pid)).toBe(false)
      expect(existsSync(data)).toBe(false)
    },
    { timeout: 10_000 },
  )
})
