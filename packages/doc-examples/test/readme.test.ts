import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { blocksOf, modulesOf } from '../src/extract.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const generated = fileURLToPath(new URL('../generated', import.meta.url))

it("prints what the README's five minutes say", async () => {
  const module = modulesOf(blocksOf(readme, 'ts')).find((text) => text.includes("'account.opened'"))
  if (module === undefined) throw new Error('the README has no such example')
  const promised = [...module.matchAll(/console\.log\(.*\) \/\/ (.*)/g)].map(([, printed]) => printed)

  mkdirSync(generated, { recursive: true })
  const folder = mkdtempSync(join(generated, 'run-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const log = vi.spyOn(console, 'log').mockReturnValue()
  onTestFinished(() => log.mockRestore())
  const file = join(folder, 'five-minutes.ts')
  writeFileSync(file, module)
  await import(/* @vite-ignore */ pathToFileURL(file).href)

  expect(log.mock.calls.map((words) => words.join(' '))).toEqual(promised)
  expect(promised.length).toBeGreaterThan(4)
})
