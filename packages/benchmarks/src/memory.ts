import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Memory {
  /** The most that was resident at any time. */
  readonly rssMiB: number
}

/** Reads `limit` events in a process of its own. */
export async function measuredInChild(url: string, limit: number): Promise<Memory> {
  const script = join(import.meta.dirname, 'memory-reader.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, url, String(limit)])
  return JSON.parse(stdout) as Memory
}
