import { chmodSync, chownSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { createDataDirectory } from './data-directory.ts'
import { freePort } from './free-port.ts'
import { findPostgres, nobody, runOnPostgres } from './postgres.ts'
import { createServer } from './server.ts'
import type { TestServer } from './server.ts'
import { createServerProcess } from './server-process.ts'

/** Starts a hot standby of a Postgres that this process has started: read-only, and following it. */
export async function startStandby(primary: TestServer): Promise<TestServer> {
  const folder = createDataDirectory('standby', false)
  const data = join(folder, 'data')
  await copyDataDirectory(primary.adminUrl, data)
  const user = process.getuid?.() === 0 ? nobody : undefined
  if (user !== undefined) giveTo(folder, user)
  const port = await freePort()
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: process.platform === 'win32' ? '' : folder,
    max_connections: '200',
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
    fsync: 'off',
    primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres`,
  }
  const args = [
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const { postgres: command } = await findPostgres(folder, user)
  const at = (url: string): string => url.replace(`:${primary.port}/`, `:${port}/`)
  const adminUrl = at(primary.adminUrl)
  return createServer(
    { kind: 'postgres', url: at(primary.url), adminUrl, port },
    createServerProcess({ command, args, folder, stopSignal: 'SIGINT', user }),
    () => runOnPostgres(adminUrl, 'select 1'),
  )
}

/** A backup of a server that runs, as its manual describes it. */
async function copyDataDirectory(adminUrl: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rows: found } = await client.query<{ data_directory: string }>('show data_directory')
    await client.query(`select pg_backup_start('standby', true)`)
    cpSync(found[0]?.data_directory ?? '', to, { recursive: true, verbatimSymlinks: true })
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
    chmodSync(to, 0o700)
    rmSync(join(to, 'postmaster.pid'), { force: true })
    writeFileSync(join(to, 'backup_label'), rows[0]?.labelfile ?? '')
    writeFileSync(join(to, 'standby.signal'), '')
  } finally {
    await client.end()
  }
}

function giveTo(path: string, user: typeof nobody): void {
  chownSync(path, user.uid, user.gid)
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    chownSync(join(path, name), user.uid, user.gid)
}
