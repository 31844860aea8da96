export type ServerKind = 'postgres' | 'mysql' | 'mariadb'

export interface StartOptions {
  /** Data on a real disk, flushed at every commit, as in production. Default false: data in memory where there is room. */
  fsync?: boolean
  /** Settings of the server, by their own names; they win over the defaults here. */
  settings?: Record<string, string>
}

/** Where a server is: all that crosses from vitest's global setup to a test. */
export interface ServerAddress {
  readonly kind: ServerKind
  /** Database `varve` as its owner, an ordinary user. */
  readonly url: string
  /** An account that may do anything. */
  readonly adminUrl: string
}

export interface TestServer extends ServerAddress, AsyncDisposable {
  readonly port: number
  /** The running server's process; `undefined` while it is down, and for a server in a container or given by a URL. */
  readonly pid: number | undefined
  /** The end of the server's own log. */
  log(): string
  /** Shuts down and deletes the data. */
  stop(): Promise<void>
  /** SIGKILL to every process of the server; the data stays for `restart()`. */
  kill(): Promise<void>
  /** Starts again, after a clean shutdown if it still runs, on the same port and data; resolves when it answers. */
  restart(): Promise<void>
}

/** How a server is run, whether as a process or in a container. */
export interface Runner {
  readonly pid: number | undefined
  readonly running: boolean
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  remove(): Promise<void>
  log(): string
}

export async function createServer(
  address: ServerAddress & { port: number },
  runner: Runner,
  ping: () => Promise<unknown>,
): Promise<TestServer> {
  let stopped: Promise<void> | undefined

  const start = async () => {
    await runner.start()
    await waitUntilReady(runner, ping)
  }
  const shutDown = async () => {
    await runner.stop()
    await runner.remove()
  }
  const server: TestServer = {
    ...address,
    get pid() {
      return runner.pid
    },
    log: () => runner.log(),
    stop: () => (stopped ??= shutDown()),
    kill: () => runner.kill(),
    restart: async () => {
      await runner.stop()
      await start()
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }

  try {
    await start()
  } catch (error) {
    await runner.kill()
    await runner.remove()
    throw error
  }
  return server
}

const readyTimeoutMs = 90_000

async function waitUntilReady(runner: Runner, ping: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs
  for (;;) {
    try {
      await ping()
      return
    } catch (error) {
      const died = !runner.running
      if (died || Date.now() > deadline) {
        const what = died ? 'the server exited while starting' : 'the server did not answer in time'
        throw new Error(`${what}; its log ends:\n${runner.log()}`, { cause: error })
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
