import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { MysqlKind } from './mysql-accounts.ts'

export interface MysqlPrograms {
  server: string
  /** Makes the first data directory; MySQL's server does that itself. */
  installer: string
}

export type FoundMysql =
  | { how: 'url'; url: string }
  | { how: 'docker' }
  | ({ how: 'programs' } & MysqlPrograms)

const run = promisify(execFile)
const unpackScript = fileURLToPath(new URL('../scripts/unpack-server.sh', import.meta.url))
const toolchain = fileURLToPath(new URL('../../../.toolchain', import.meta.url))

/**
 * The first to be had of: a URL in the environment, a program on PATH, Docker, Debian's or Ubuntu's packages unpacked beside the system.
 * @throws when none can be had, with the reason for each: tests never skip a database silently.
 */
export async function findMysql(kind: MysqlKind): Promise<FoundMysql> {
  const variable = `VARVE_${kind.toUpperCase()}_URL`
  const url = process.env[variable]
  if (url) return { how: 'url', url }

  const onPath = findOnPath(kind)
  if (onPath) return { how: 'programs', ...onPath }

  const unpacked = unpackedPrograms(kind)
  if (existsSync(unpacked.server)) return { how: 'programs', ...unpacked }

  if (spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0)
    return { how: 'docker' }

  console.error(`test servers: fetching ${kind} from the system's packages`)
  try {
    await run('sh', [unpackScript, kind, join(toolchain, kind)])
  } catch (error) {
    const program = kind === 'mysql' ? 'mysqld' : 'mariadbd'
    const reasons = `${variable} is not set, no ${program} is on PATH, Docker does not answer`
    throw new Error(
      `no ${kind} server for the tests: ${reasons}, and unpacking one failed: ${String(error)}`,
      {
        cause: error,
      },
    )
  }
  return { how: 'programs', ...unpacked }
}

function unpackedPrograms(kind: MysqlKind): MysqlPrograms {
  const folder = join(toolchain, kind)
  return {
    server: join(folder, kind === 'mysql' ? 'mysqld' : 'mariadbd'),
    installer: join(folder, 'mariadb-install-db'),
  }
}

function findOnPath(kind: MysqlKind): MysqlPrograms | undefined {
  const version = (program: string) => {
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
    return status === 0 ? stdout : undefined
  }
  // a mysqld may well be MariaDB's
  const isKind = (text: string) => /mariadb/i.test(text) === (kind === 'mariadb')
  const server = ['mariadbd', 'mysqld'].find((program) => {
    const text = version(program)
    return text !== undefined && isKind(text)
  })
  if (!server) return undefined
  if (kind === 'mysql') return { server, installer: server }
  const installer = ['mariadb-install-db', 'mysql_install_db'].find(
    (program) => !spawnSync(program, ['--help'], { stdio: 'ignore' }).error,
  )
  return installer ? { server, installer } : undefined
}
