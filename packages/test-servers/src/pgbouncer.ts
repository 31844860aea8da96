import { execFile, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDataDirectory } from './data-directory.ts'
import { freePort } from './free-port.ts'
import { runOnPostgres } from './postgres.ts'
import { createServer } from './server.ts'
import type { TestServer } from './server.ts'
import { createServerProcess } from './server-process.ts'

const run = promisify(execFile)
const unpackScript = fileURLToPath(new URL('../scripts/unpack-pgbouncer.sh', import.meta.url))
const toolchain = fileURLToPath(new URL('../../../.toolchain', import.meta.url))
const nobody = { uid: 65534, gid: 65534 }

/**
 * Starts pgbouncer in front of a database, handing out its few connections for a transaction at a time.
 *
 * @throws when it cannot be had, with the reason: tests never skip it silently.
 */
export async function startPgbouncer(target: string, poolSize = 4): Promise<TestServer> {
  const folder = createDataDirectory('pgbouncer', false)
  // it refuses to run as root
  const user = process.getuid?.() === 0 ? nobody : undefined
  const program = reachable(await findPgbouncer(), folder, user)
  const { hostname, port: targetPort, pathname, username } = new URL(target)
  const port = await freePort()
  const settings = join(folder, 'pgbouncer.ini')
  // any name is let in, and reaches the server as the one that is given here
  const forced = `[databases]\n* = host=${hostname} port=${targetPort} user=${username}\n`
  writeFileSync(settings, forced + settingsBehindDatabases(port, poolSize))
  if (user !== undefined) for (const path of [folder, settings]) chownSync(path, user.uid, user.gid)
  const url = `postgres://${username}@127.0.0.1:${port}${pathname}`
  return createServer(
    { kind: 'postgres', url, adminUrl: url, port },
    createServerProcess({ command: program, args: [settings], folder, stopSignal: 'SIGTERM', user }),
    () => runOnPostgres(url, 'select 1'),
  )
}

/** The program; a copy, where the checkout is below a folder that the unprivileged user may not enter, such as /root. */
function reachable(program: string, folder: string, user: typeof nobody | undefined): string {
  const tried = spawnSync(program, ['--version'], { stdio: 'ignore', cwd: folder, ...user })
  if (tried.status === 0 || !isAbsolute(program)) return program
  const copy = join(folder, 'native')
  cpSync(dirname(program), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, basename(program))
}

function settingsBehindDatabases(port: number, poolSize: number): string {
  return [
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 200',
    'ignore_startup_parameters = extra_float_digits,statement_timeout',
    '',
  ].join('\n')
}

async function findPgbouncer(): Promise<string> {
  if (spawnSync('pgbouncer', ['--version'], { stdio: 'ignore' }).status === 0) return 'pgbouncer'
  const unpacked = join(toolchain, 'pgbouncer', 'pgbouncer')
  if (existsSync(unpacked)) return unpacked
  console.error("test servers: fetching pgbouncer from the system's packages")
  try {
    await run('sh', [unpackScript, join(toolchain, 'pgbouncer')])
  } catch (error) {
    throw new Error(
      `no pgbouncer for the tests: none is on PATH, and unpacking one failed: ${String(error)}`,
      {
        cause: error,
      },
    )
  }
  return unpacked
}
