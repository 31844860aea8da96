import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Lets another process apply so many movements, and kills it while it applies one more. */
export async function killInTheMiddle(url: string, movements: number, leaseMs: number): Promise<void> {
  const child = fork(new URL('doomed-runner.ts', import.meta.url), [url, `${movements}`, `${leaseMs}`], {
    execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
  })
  const exited = once(child, 'exit')
  await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}`))),
  ])
  child.kill('SIGKILL')
  await exited
}
