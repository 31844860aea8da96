import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { WebhookOptions } from '../../src/index.js'
import type { StoreAddress } from './engines.js'
import { encryptionKeys } from './fixture.js'

export const workerScript = new URL('worker-process.mjs', import.meta.url)

/** What a child process is started with. */
export function workerArguments(address: StoreAddress, options: Partial<WebhookOptions> = {}): string[] {
  const all = {
    encryptionKeys,
    allowNetworks: ['127.0.0.0/8'],
    pollIntervalMs: 50,
    timeoutMs: 2_000,
    leaseMs: 10_000,
  }
  return [JSON.stringify(address), JSON.stringify({ ...all, ...options })]
}

/** A worker in a process of its own. */
export async function startWorkerProcess(
  address: StoreAddress,
  options: Partial<WebhookOptions> = {},
): Promise<{ kill(): Promise<void>; terminate(): Promise<number | null> }> {
  const child = fork(workerScript, workerArguments(address, options), {
    execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the worker process ended before it had begun')
    }),
  ])
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = (await exited) as [number | null]
    return code
  }
  return {
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
  }
}
