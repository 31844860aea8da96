import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Memory {
  /** The most that was in use after a collection: what the read itself holds. */
  readonly liveMiB: number
  /** The most that was resident: with it what waits for a collection, which V8 lets grow up to a bound of its own. */
  readonly rssMiB: number
}

/** Reads `limit` events in a process of its own. */
export async function measuredInChild(url: string, limit: number): Promise<Memory> {
  const script = join(import.meta.dirname, 'memory-reader.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, url, String(limit)])
  return JSON.parse(stdout) as Memory
}
