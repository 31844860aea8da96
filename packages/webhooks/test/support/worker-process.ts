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

interface WorkerProcess {
  kill(): Promise<void>
  /** SIGTERM. Resolves when the process knows of it; `exited` gives its exit code when it has ended. */
  terminate(): Promise<{ exited: Promise<number | null> }>
}

/** A worker in a process of its own. */
export async function startWorkerProcess(
  address: StoreAddress,
  options: Partial<WebhookOptions> = {},
): Promise<WorkerProcess> {
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
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  return {
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async terminate() {
      const stopping = once(child, 'message')
      child.kill('SIGTERM')
      await stopping
      return { exited }
    },
  }
}
