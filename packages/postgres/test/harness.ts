import type { ConformanceHarness, OpenedStore, OpenOptions } from '@varve/core/conformance'
import type { EventStore } from '@varve/core'
import { startProxy } from '@varve/test-servers'
import type { Proxy } from '@varve/test-servers'
import { createDatabase } from '@varve/test-servers/vitest'
import pg from 'pg'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'

const proxies = new WeakMap<object, Proxy>()

type Open = (options: PostgresEventStoreOptions) => EventStore<pg.PoolClient>

/** Each store has a schema of its own in one database, which `drop` removes. */
export async function postgresHarness(
  name: string,
  open: Open = createPostgresEventStore,
  /** What a message to the server contains whose answer says that an append was committed; any message when absent. */
  committing?: string,
): Promise<ConformanceHarness<pg.PoolClient> & { drop(): Promise<void> }> {
  const database = await createDatabase('postgres')
  const owner = new pg.Pool({ connectionString: database.url, max: 4 })
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 1 })
  // dropping the database ends sessions that are just being closed
  for (const each of [owner, admin]) each.on('connect', (client) => client.on('error', () => undefined))
  // a pool has ended before its last connections have, and the database is dropped beneath them
  for (const pool of [owner, admin]) pool.on('error', () => undefined)
  let count = 0

  const opened = async (options: OpenOptions = {}): Promise<OpenedStore<pg.PoolClient>> => {
    const { migrated = true, faults = false, ...given } = options
    const schema = `s${++count}`
    const proxy = faults ? await startProxy({ target: database.url }) : undefined
    const settings = { schema, pool: { max: 6, min: 0 }, ...given }
    const store = open({ connectionString: proxy?.url ?? database.url, ...settings })
    if (migrated) await store.migrate()
    else await owner.query(`create schema "${schema}"`)
    const events = `"${schema}"."events"`
    const result: OpenedStore<pg.PoolClient> = {
      store,
      another: async () => open({ connectionString: database.url, schema, pool: { max: 6, min: 0 } }),
      sql: async (text) => (await owner.query<Record<string, unknown>>(text)).rows,
      async tamper(text) {
        const client = await admin.connect()
        try {
          await client.query(`begin; set local session_replication_role = replica; ${text}; commit`)
        } finally {
          client.release()
        }
      },
      query: async (client, text) => (await client.query<Record<string, unknown>>(text)).rows,
      table: (table) => `"${schema}"."${table}"`,
      async begin() {
        const client = await owner.connect()
        await client.query('begin')
        const end = (how: string) => async () => {
          await client.query(how)
          client.release()
        }
        return { client, commit: end('commit'), rollback: end('rollback') }
      },
      forbidden: [
        `update ${events} set event_type = 'other'`,
        `delete from ${events}`,
        `truncate ${events}`,
        `truncate ${events} cascade`,
      ],
      async dispose() {
        await proxy?.accept()
        await store.close()
        await owner.query(`drop schema if exists "${schema}" cascade`)
        await proxy?.stop()
      },
    }
    if (proxy !== undefined) proxies.set(store, proxy)
    return result
  }

  const through = ({ store }: OpenedStore<pg.PoolClient>): Proxy => {
    const proxy = proxies.get(store)
    if (proxy === undefined) throw new Error('this store was not opened for faults')
    return proxy
  }

  return {
    name,
    open: opened,
    faults: {
      async dropConnections(store) {
        await store.store.lastPosition()
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}' and application_name = 'varve'`,
        )
      },
      async loseNextAnswer(store) {
        await store.store.lastPosition()
        through(store).loseNextAnswer(
          committing === undefined ? undefined : (sent) => sent.includes(committing),
        )
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
