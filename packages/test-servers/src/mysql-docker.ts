import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { accounts, type MysqlKind } from './mysql-accounts.ts'
import { runOnMysql } from './mysql-client.ts'
import type { Runner } from './server.ts'
import { watch } from './watch.ts'

const run = promisify(execFile)
const images = { mysql: 'mysql:9', mariadb: 'mariadb:11.4' } satisfies Record<MysqlKind, string>

export function createMysqlContainer(kind: MysqlKind, port: number, args: readonly string[]): Runner {
  const name = `varve-${kind}-${randomBytes(4).toString('hex')}`
  const remove = ['rm', '--force', '--volumes', name]
  const docker = (...words: string[]) => run('docker', words)
  const letGo = watch({ command: ['docker', ...remove] })
  let state: 'new' | 'running' | 'down' = 'new'

  const rootUrl = `mysql://root:root@127.0.0.1:${port}/mysql`
  const create = async () => {
    const password = ['--env', 'MYSQL_ROOT_PASSWORD=root', '--env', 'MARIADB_ROOT_PASSWORD=root']
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      '--publish',
      `127.0.0.1:${port}:3306`,
      ...password,
      images[kind],
      ...args,
    )
    // the image's own entry point starts a first server without the network, so this answers only when the real one does
    await eventually(() => runOnMysql(rootUrl, 'select 1'))
    for (const statement of accounts) await runOnMysql(rootUrl, statement)
  }

  return {
    // a container has no process of ours
    pid: undefined,
    get running() {
      return state === 'running'
    },
    log: () => {
      const { stdout, stderr } = spawnSync('docker', ['logs', '--tail', '40', name], { encoding: 'utf8' })
      return `${stdout}${stderr}`
    },
    start: async () => {
      await (state === 'new' ? create() : docker('start', name))
      state = 'running'
    },
    stop: async () => {
      if (state === 'running') await docker('stop', name)
      state = 'down'
    },
    kill: async () => {
      if (state === 'running') await docker('kill', name)
      state = 'down'
    },
    remove: async () => {
      await docker(...remove)
      letGo()
    },
  }
}

async function eventually(action: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 90_000
  for (;;) {
    try {
      await action()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
