import { randomUUID } from 'node:crypto'
import { createMysqlEventStore } from '@varve/mysql'
import mysql from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
import type { Context } from './benchmark.ts'
import { fillStore } from './fill.ts'
import { orderPlaced, requestMetadata } from './payload.ts'
import { PAGE } from './read-all-duel.ts'

export type MysqlEngine = 'mysql' | 'mariadb'

const POOL = 20

interface Row extends RowDataPacket {
  position: number
  event_data: unknown
  metadata: unknown
  tags: unknown
}

/** A migrated store, and beside it the bare driver with a pool of the same size and a table with one unique key. */
export async function openMysqlBench(context: Context, engine: MysqlEngine) {
  const database = await context.servers.mysqlDatabase(engine)
  const store = createMysqlEventStore({ uri: database.url, preset: 'production', pool: { max: POOL } })
  await store.migrate()
  const pool = mysql.createPool({ uri: database.url, connectionLimit: POOL, timezone: 'Z' })
  await pool.query(`
    create table bare_events (
      stream_id varchar(255) not null,
      version bigint not null,
      event_id char(36) not null,
      event_type varchar(255) not null,
      event_data json not null,
      metadata json not null,
      occurred_at datetime(3) not null,
      created_at datetime(6) not null default current_timestamp(6),
      unique key (stream_id, version)
    )`)
  let number = 0
  return {
    store,
    /** A bare prepared insert, awaited by itself, as one would write it by hand. */
    insert(streamId: string, version: number) {
      number++
      return pool.execute(
        'insert into bare_events (stream_id, version, event_id, event_type, event_data, metadata, occurred_at) ' +
          'values (?, ?, ?, ?, ?, ?, ?)',
        [
          streamId,
          version,
          randomUUID(),
          'order.placed',
          JSON.stringify(orderPlaced(number)),
          JSON.stringify(requestMetadata(number)),
          new Date(),
        ],
      )
    },
    /** Rows of the store's own table, as plain objects. */
    async page(after: number | string): Promise<readonly Row[]> {
      const text = `select * from events where position > ? order by position limit ${PAGE}`
      const [rows] = await pool.query<Row[]>(text, [after])
      for (const row of rows) {
        row.event_data = JSON.parse(String(row.event_data))
        row.metadata = JSON.parse(String(row.metadata))
        row.tags = JSON.parse(String(row.tags))
      }
      return rows
    },
    // appends take turns on this engine
    fill: (events: number, perStream: number, prefix: string) =>
      fillStore(store, { events, perStream, prefix, callers: 1 }),
    async [Symbol.asyncDispose]() {
      await store.close()
      await pool.end()
      await database.drop()
    },
  }
}
