import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDataDirectory } from './data-directory.ts'
import { accounts, type MysqlKind } from './mysql-accounts.ts'
import type { MysqlPrograms } from './mysql-find.ts'
import type { Runner } from './server.ts'
import { createServerProcess } from './server-process.ts'

const run = promisify(execFile)

export interface MysqlProcessOptions {
  kind: MysqlKind
  programs: MysqlPrograms
  port: number
  args: readonly string[]
  fsync: boolean
}

export async function createMysqlProcess({
  kind,
  programs,
  port,
  args,
  fsync,
}: MysqlProcessOptions): Promise<Runner> {
  const folder = createDataDirectory(kind, fsync)
  const data = join(folder, 'data')
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []
  // a server that starts clears away temporary tables, those of others in the same folder too
  const own = [`--tmpdir=${folder}`, ...asRoot]

  const initialize =
    kind === 'mysql'
      ? { command: programs.server, args: ['--no-defaults', '--initialize-insecure', `--datadir=${data}`] }
      : {
          command: programs.installer,
          args: [
            '--no-defaults',
            `--datadir=${data}`,
            '--auth-root-authentication-method=normal',
            '--skip-test-db',
            '--skip-name-resolve',
          ],
        }
  try {
    // not synchronously: the other servers start meanwhile
    await run(initialize.command, [...initialize.args, ...own], { cwd: folder })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`initializing ${kind} failed: ${String(error)}`, { cause: error })
  }

  const initFile = join(folder, 'accounts.sql')
  writeFileSync(initFile, accounts.map((statement) => `${statement};\n`).join(''))
  return createServerProcess({
    command: programs.server,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${initFile}`,
      '--skip-name-resolve',
      ...(kind === 'mysql' ? ['--mysqlx=OFF'] : []),
      ...args,
      ...own,
    ],
    folder,
    stopSignal: 'SIGTERM',
  })
}
