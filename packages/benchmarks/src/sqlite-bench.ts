import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '@varve/core'
import { createSqliteEventStore } from '@varve/sqlite'
import Database from 'better-sqlite3'
import { fillStore } from './fill.ts'
import { orderPlaced, requestMetadata } from './payload.ts'

/** A store in a file, flushed at every commit, and beside it the bare driver with a file and a table of its own. */
export async function openSqliteBench() {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const filename = join(folder, 'store.db')
  const store: EventStore = createSqliteEventStore({ filename })
  await store.migrate()
  const bare = new Database(join(folder, 'bare.db'))
  bare.pragma('journal_mode = wal')
  bare.pragma('synchronous = full')
  bare.exec(`
    create table bare_events (
      stream_id text not null,
      version integer not null,
      event_id text not null,
      event_type text not null,
      event_data text not null,
      metadata text not null,
      occurred_at integer not null,
      created_at integer not null,
      unique (stream_id, version)
    )`)
  const statement = bare.prepare('insert into bare_events values (?, ?, ?, ?, ?, ?, ?, ?)')
  let number = 0
  return {
    store,
    filename,
    insert(streamId: string, version: number) {
      number++
      const now = Date.now()
      const data = JSON.stringify(orderPlaced(number))
      const metadata = JSON.stringify(requestMetadata(number))
      statement.run(streamId, version, randomUUID(), 'order.placed', data, metadata, now, now)
    },
    fill: (events: number, perStream: number, prefix: string) =>
      fillStore(store, { events, perStream, prefix, callers: 1 }),
    async [Symbol.asyncDispose]() {
      await store.close()
      bare.close()
      rmSync(folder, { recursive: true })
    },
  }
}
