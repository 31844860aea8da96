import { findMysql } from './mysql-find.ts'
import { runOnMysql } from './mysql-client.ts'
import { createMysqlContainer } from './mysql-docker.ts'
import { createMysqlProcess } from './mysql-process.ts'
import { accounts, type MysqlKind } from './mysql-accounts.ts'
import { freePort } from './free-port.ts'
import { createServer, type StartOptions, type TestServer } from './server.ts'

/** Starts a MySQL of its own, on loopback; or uses the one that VARVE_MYSQL_URL names. */
export function startMysql(options: StartOptions = {}): Promise<TestServer> {
  return start('mysql', options)
}

/** Starts a MariaDB of its own, on loopback; or uses the one that VARVE_MARIADB_URL names. */
export function startMariadb(options: StartOptions = {}): Promise<TestServer> {
  return start('mariadb', options)
}

async function start(kind: MysqlKind, { fsync = false, settings = {} }: StartOptions): Promise<TestServer> {
  const found = await findMysql(kind)
  if (found.how === 'url') return useGiven(kind, found.url)

  const port = await freePort()
  const address = {
    kind,
    port,
    url: `mysql://varve:varve@127.0.0.1:${port}/varve`,
    adminUrl: `mysql://admin:admin@127.0.0.1:${port}/mysql`,
  }
  const all = {
    'log-bin': 'binlog',
    'server-id': '1',
    // an ordinary user may then create triggers, though there is a binary log
    'log-bin-trust-function-creators': '1',
    // commits still reach the operating system one by one, so that they survive kill()
    'innodb-flush-log-at-trx-commit': fsync ? '1' : '2',
    'sync-binlog': fsync ? '1' : '0',
    'max-connections': '200',
    ...settings,
  }
  const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
  const runner =
    found.how === 'docker'
      ? createMysqlContainer(kind, port, args)
      : await createMysqlProcess({ kind, programs: found, port, args, fsync })
  return createServer(address, runner, () => runOnMysql(address.url, 'select 1'))
}

async function useGiven(kind: MysqlKind, adminUrl: string): Promise<TestServer> {
  const given = new URL(adminUrl)
  for (const statement of accounts) await runOnMysql(adminUrl, statement)
  const port = Number(given.port || 3306)
  const notOurs = () => Promise.reject(new Error(`${kind} was given by a URL; it is not ours to stop`))
  const nothing = () => Promise.resolve()
  return {
    kind,
    port,
    url: `mysql://varve:varve@${given.hostname}:${port}/varve`,
    adminUrl,
    pid: undefined,
    log: () => '',
    stop: nothing,
    kill: notOurs,
    restart: notOurs,
    [Symbol.asyncDispose]: nothing,
  }
}
