import type { EventStore } from '@varve/core'
import type { ConformanceHarness, OpenedStore, OpenOptions } from '@varve/core/conformance'
import { startProxy } from '@varve/test-servers'
import type { Proxy } from '@varve/test-servers'
import { createDatabase } from '@varve/test-servers/vitest'
import { createPool } from 'mysql2/promise'
import type { Connection, Pool, PoolConnection, RowDataPacket } from 'mysql2/promise'
import { createMysqlEventStore } from '../src/index.js'
import type { MysqlEventStoreOptions } from '../src/index.js'

export type Family = 'mysql' | 'mariadb'

const proxies = new WeakMap<object, Proxy>()

/** Each store has a table prefix of its own in one database, which `drop` removes. */
export async function mysqlHarness(
  family: Family,
  open: (options: MysqlEventStoreOptions) => EventStore<Connection> = createMysqlEventStore,
): Promise<ConformanceHarness<Connection> & { drop(): Promise<void> }> {
  const database = await createDatabase(family)
  const owner = createPool({ uri: database.url, connectionLimit: 4 })
  const admin = createPool({ uri: database.adminUrl, connectionLimit: 1 })
  let count = 0

  const opened = async (options: OpenOptions = {}): Promise<OpenedStore<Connection>> => {
    const { migrated = true, faults = false, ...given } = options
    const tablePrefix = `s${++count}_`
    const proxy = faults ? await startProxy({ target: database.url }) : undefined
    const settings = { tablePrefix, pool: { max: 6, min: 0 } }
    const store = open({ uri: proxy?.url ?? database.url, ...settings, ...given })
    if (migrated) await store.migrate()
    const table = (name: string): string => `\`${tablePrefix}${name}\``
    const events = table('events')
    const result: OpenedStore<Connection> = {
      store,
      another: async () => open({ uri: database.url, ...settings }),
      sql: (text) => rowsOf(owner, text),
      async tamper(text) {
        const connection = await admin.getConnection()
        await connection.query('set @varve_maintenance = 1, foreign_key_checks = 0, unique_checks = 0')
        try {
          await connection.query(text)
        } finally {
          connection.destroy()
        }
      },
      query: rowsOf,
      table,
      async begin() {
        const connection = await owner.getConnection()
        // under the servers' default: repeatable read
        await connection.query('start transaction')
        const end = (how: string) => async () => {
          await connection.query(how)
          connection.release()
        }
        return { client: connection, commit: end('commit'), rollback: end('rollback') }
      },
      forbidden: [
        `update ${events} set event_type = 'other'`,
        `delete from ${events}`,
        `truncate table ${events}`,
        `drop table ${events}`,
        `replace into ${events} select * from ${events}`,
        `insert into ${events} select * from ${events} as stored on duplicate key update event_type = 'other'`,
        `update ${events} join (select 1) as one set event_type = 'other'`,
      ],
      async dispose() {
        await proxy?.accept()
        await store.close()
        await dropTables(admin, database.name, tablePrefix)
        await proxy?.stop()
      },
    }
    if (proxy !== undefined) proxies.set(store, proxy)
    return result
  }

  const through = ({ store }: OpenedStore<Connection>): Proxy => {
    const proxy = proxies.get(store)
    if (proxy === undefined) throw new Error('this store was not opened for faults')
    return proxy
  }

  return {
    name: family,
    open: opened,
    faults: {
      async dropConnections(store) {
        await store.store.lastPosition()
        through(store).dropConnections()
      },
      async loseNextAnswer(store) {
        await store.store.lastPosition()
        through(store).loseNextAnswer(commits())
      },
      async away(store) {
        await through(store).refuse()
        through(store).dropConnections()
      },
      back: (store) => through(store).accept(),
    },
    async drop() {
      await owner.end()
      await admin.end()
      await database.drop()
    },
  }
}

const QUERY = 3
const EXECUTE = 23

/** Whether a client sends what commits: COMMIT itself, or a prepared statement outside of a transaction. */
function commits(): (sent: Buffer, connection: object) => boolean {
  const inTransaction = new WeakSet()
  return (sent, connection) => {
    const command = sent[4]
    if (command === EXECUTE) return !inTransaction.has(connection)
    if (command === QUERY && sent.includes('start transaction')) inTransaction.add(connection)
    return command === QUERY && sent.includes('commit')
  }
}

async function rowsOf(
  client: Connection | Pool | PoolConnection,
  text: string,
): Promise<Record<string, unknown>[]> {
  const [rows] = await client.query<RowDataPacket[]>(text)
  return Array.isArray(rows) ? rows : []
}

async function dropTables(admin: Pool, database: string, prefix: string): Promise<void> {
  const connection = await admin.getConnection()
  try {
    const rows = await rowsOf(
      connection,
      `select table_name as name, table_type as type from information_schema.tables
       where table_schema = '${database}' and left(table_name, ${prefix.length}) = '${prefix}'`,
    )
    await connection.query('set foreign_key_checks = 0')
    for (const { name, type } of rows) {
      await connection.query(`drop ${type === 'VIEW' ? 'view' : 'table'} \`${database}\`.\`${String(name)}\``)
    }
    await connection.query(`drop procedure if exists \`${database}\`.\`${prefix}append_event\``)
  } finally {
    connection.destroy()
  }
}
