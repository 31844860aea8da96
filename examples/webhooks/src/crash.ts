import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Starts a worker and kills it as soon as `moment` has come. */
export async function crashAt(url: string, moment: () => Promise<unknown>): Promise<void> {
  const child = fork(new URL('doomed-worker.ts', import.meta.url), [url], {
    execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
  })
  await once(child, 'message')
  await moment()
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
