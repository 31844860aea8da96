import { randomUUID } from 'node:crypto'
import { createPostgresEventStore } from '@varve/postgres'
import pg from 'pg'
import type { Context } from './benchmark.ts'
import { fillStore } from './fill.ts'
import { orderPlaced, requestMetadata } from './payload.ts'

export const POOL = 20

export type PostgresBench = Awaited<ReturnType<typeof openPostgresBench>>

/** A migrated store, and beside it the bare driver with a pool of the same size and a table with one unique key. */
export async function openPostgresBench(context: Context, dataType: 'jsonb' | 'json' = 'jsonb') {
  const database = await context.servers.postgresDatabase()
  const store = createPostgresEventStore({ connectionString: database.url, dataType, preset: 'production' })
  await store.migrate()
  const pool = new pg.Pool({ connectionString: database.url, max: POOL })
  pool.on('error', (error) => console.error(error.message))
  await pool.query(`
    create table bare_events (
      stream_id text not null,
      version bigint not null,
      event_id uuid not null,
      event_type text not null,
      event_data ${dataType} not null,
      metadata jsonb not null,
      occurred_at timestamptz not null,
      created_at timestamptz not null default now(),
      unique (stream_id, version)
    )`)
  let number = 0
  return {
    store,
    url: database.url,
    pool,
    /** A bare insert, awaited by itself, as one would write it by hand. */
    insert(streamId: string, version: number) {
      number++
      return pool.query({
        name: 'insert-event',
        text:
          'insert into bare_events (stream_id, version, event_id, event_type, event_data, metadata, occurred_at) ' +
          'values ($1, $2, $3, $4, $5, $6, $7)',
        values: [
          streamId,
          version,
          randomUUID(),
          'order.placed',
          JSON.stringify(orderPlaced(number)),
          JSON.stringify(requestMetadata(number)),
          new Date(),
        ],
      })
    },
    async fill(events: number, perStream: number, prefix = 'filled') {
      await fillStore(store, { events, perStream, prefix, callers: 4 })
      await pool.query('analyze')
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await pool.end()
      await database.drop()
    },
  }
}
