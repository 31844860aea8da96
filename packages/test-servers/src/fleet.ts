import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Child processes of one script, of which some are killed and replaced while a test goes on. */
export class Fleet {
  readonly #script: URL
  readonly #args: readonly string[]
  readonly #running = new Set<ChildProcess>()
  readonly #output: string[] = []
  /** Told by the children with `process.send`, in the order of arrival. */
  readonly messages: unknown[] = []
  killed = 0

  constructor(script: URL, args: readonly string[]) {
    this.#script = script
    this.#args = args
  }

  get size(): number {
    return this.#running.size
  }

  /** What the children wrote to their standard error. */
  get output(): string {
    return this.#output.join('')
  }

  /** Starts one more; resolves with its first message. */
  async start(): Promise<unknown> {
    const child = fork(this.#script, this.#args, {
      execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#running.add(child)
    child.stderr?.on('data', (chunk: Buffer) => this.#output.push(String(chunk)))
    child.on('exit', () => this.#running.delete(child))
    child.on('message', (message) => this.messages.push(message))
    const [first] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(`a process ended before it had begun:\n${this.output}`)
      }),
    ])) as unknown[]
    return first
  }

  /** SIGKILL to one of them, whichever. */
  async killOne(): Promise<void> {
    const running = [...this.#running]
    const child = running[Math.floor(Math.random() * running.length)]
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    this.killed += 1
    await exited
  }

  async killAll(): Promise<void> {
    while (this.size > 0) await this.killOne()
  }

  /** Asks all of them to end, as on a deployment. */
  async stopAll(): Promise<void> {
    const exits = [...this.#running].map((child) => once(child, 'exit'))
    for (const child of this.#running) child.kill('SIGTERM')
    await Promise.all(exits)
  }
}
