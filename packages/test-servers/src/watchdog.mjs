// Outlives the process that started it, to kill and clean up whatever that one left behind, however it ended.
// Reads one JSON object a line: { "id", "pid"?, "folder"?, "command"? } to take charge of something, { "id", "done": true } to let go of it.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { killTree } from './process-tree.mjs'

const charges = new Map()

// the pipe closes when the other process ends, even by SIGKILL
for await (const line of createInterface({ input: process.stdin })) {
  const { id, done, ...charge } = JSON.parse(line)
  if (done) charges.delete(id)
  else charges.set(id, charge)
}

for (const { pid } of charges.values()) if (pid !== undefined) killTree(pid)
for (const { folder, command } of charges.values()) {
  try {
    if (command) execFileSync(command[0], command.slice(1), { stdio: 'ignore' })
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  } catch (error) {
    console.error(`varve test servers: could not clean up: ${error.message}`)
  }
}
