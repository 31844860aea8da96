import { randomBytes } from 'node:crypto'
import { runOnMysql } from './mysql-client.ts'
import { runOnPostgres } from './postgres.ts'
import type { ServerAddress } from './server.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** The database as its owner, the ordinary user. */
  readonly url: string
  /** The database as an account that may do anything. */
  readonly adminUrl: string
  /** Ends whatever is still connected, then deletes the database. */
  drop(): Promise<void>
}

/** Makes an empty database of its own name in a running server. */
export async function createDatabaseOn(server: ServerAddress): Promise<TestDatabase> {
  const name = `varve_${randomBytes(6).toString('hex')}`
  const { create, drop } = server.kind === 'postgres' ? onPostgres(server, name) : onMysql(server, name)
  await create()
  return {
    name,
    url: withDatabase(server.url, name),
    adminUrl: withDatabase(server.adminUrl, name),
    drop,
    [Symbol.asyncDispose]: drop,
  }
}

function onPostgres({ adminUrl }: ServerAddress, name: string) {
  return {
    create: () => runOnPostgres(adminUrl, `create database ${name} owner varve`),
    drop: () => runOnPostgres(adminUrl, `drop database if exists ${name} with (force)`),
  }
}

function onMysql({ adminUrl }: ServerAddress, name: string) {
  return {
    create: async () => {
      await runOnMysql(adminUrl, `create database ${name}`)
    },
    drop: async () => {
      // an open transaction in the database would hold the drop up
      const connected = await runOnMysql(
        adminUrl,
        `select id from information_schema.processlist where db = '${name}'`,
      )
      for (const { id } of connected)
        await runOnMysql(adminUrl, `kill ${Number(id)}`).catch(ignoreUnknownThread)
      await runOnMysql(adminUrl, `drop database if exists ${name}`)
    },
  }
}

function ignoreUnknownThread(error: unknown): void {
  const unknownThread = 1094
  if (!(error instanceof Error && 'errno' in error && error.errno === unknownThread)) throw error
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}
