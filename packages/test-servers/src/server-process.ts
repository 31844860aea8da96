import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, killTree } from './process-tree.mjs'
import type { Runner } from './server.ts'
import { watch } from './watch.ts'

export interface Launch {
  command: string
  args: readonly string[]
  /** Everything the server writes is below; deleted at the end. */
  folder: string
  stopSignal: NodeJS.Signals
  user?: { uid: number; gid: number } | undefined
}

const stopTimeoutMs = 20_000

export function createServerProcess({ command, args, folder, stopSignal, user }: Launch): Runner {
  const logFile = join(folder, 'server.log')
  const letGoOfFolder = watch({ folder })
  let child: ChildProcess | undefined

  const end = async (terminate: (running: ChildProcess) => void) => {
    const running = child
    if (!running) return
    const exited = once(running, 'exit')
    running.ref()
    terminate(running)
    await exited
  }

  return {
    get pid() {
      return child?.pid
    },
    get running() {
      return child !== undefined
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-4000) : ''),
    start: async () => {
      const log = openSync(logFile, 'a')
      // detached: Ctrl-C must not take the server from under a test that is still cleaning up
      const started = spawn(command, args, {
        cwd: folder,
        stdio: ['ignore', log, log],
        detached: true,
        windowsHide: true,
        ...user,
      })
      closeSync(log)
      await once(started, 'spawn')
      // a script that forgets its server may end; the watchdog ends the server
      started.unref()
      child = started
      const letGo = watch({ pid: started.pid })
      started.once('exit', () => {
        child = undefined
        letGo()
      })
    },
    stop: () =>
      end((running) => {
        running.kill(stopSignal)
        const impatience = setTimeout(() => running.pid && killTree(running.pid), stopTimeoutMs)
        running.once('exit', () => clearTimeout(impatience))
      }),
    kill: async () => {
      let children: number[] = []
      await end((running) => {
        if (running.pid !== undefined) children = killTree(running.pid)
      })
      // Postgres will not start again while a backend holds the shared memory
      while (children.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    remove: async () => {
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
      letGoOfFolder()
    },
  }
}
