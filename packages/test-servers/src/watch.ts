import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Charge {
  pid?: number | undefined
  folder?: string
  command?: readonly string[]
}

let input: Writable | undefined
let lastId = 0

/** Has the watchdog kill and delete this when the present process ends, however it ends. Call the result to let go. */
export function watch(charge: Charge): () => void {
  input ??= startWatchdog()
  const id = (lastId += 1)
  input.write(`${JSON.stringify({ id, ...charge })}\n`)
  return () => input?.write(`${JSON.stringify({ id, done: true })}\n`)
}

function startWatchdog(): Writable {
  const script = fileURLToPath(new URL('watchdog.mjs', import.meta.url))
  // detached: Ctrl-C reaches every process of the terminal's group, and this one has to survive it
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
  child.unref()
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return child.stdin
}
