import type { EventStore } from '@varve/core'
import { rewritesTurnRed } from '@varve/test-servers/vitest'
import type { Rewrite, RewriteFault } from '@varve/test-servers/vitest'
import { createPool } from 'mysql2/promise'
import type { Connection } from 'mysql2/promise'
import { createMysqlEventStore } from '../src/index.js'
import type { MysqlEventStoreOptions } from '../src/index.js'
import { mysqlHarness } from './harness.js'

const faults: readonly RewriteFault[] = [
  ['locks neither the log nor its streams', 'conflicts', / for update/g, ''],
  [
    'takes names that differ in case or accents for the same',
    'ids',
    /utf8mb4_0900_bin/g,
    'utf8mb4_0900_ai_ci',
  ],
  ['appends to archived streams', 'archive', /archived_at is not null/, '0'],
  ['lets events be changed', 'append-only', /signal sqlstate '45000' set message_text =/g, 'set @refused ='],
  ['knows event ids twice', 'duplicates', /unique key idx_events_event_id/, 'key idx_events_event_id'],
  ['keeps times to the second', 'data', /datetime\([36]\)/g, 'datetime'],
]

interface Statements {
  execute(options: { sql: string }): unknown
  query(options: string | { sql: string }, ...rest: unknown[]): unknown
}

function opening(rewrite: Rewrite): (options: MysqlEventStoreOptions) => EventStore<Connection> {
  return ({ uri = '', ...options }) => {
    const pool = createPool({ uri, connectionLimit: 6 })
    pool.pool.on('connection', (connection) => {
      const statements = connection as unknown as Statements
      const { execute, query } = statements
      statements.execute = (given) => execute.call(connection, { ...given, sql: rewrite(given.sql) })
      statements.query = (given, ...rest) =>
        typeof given === 'string'
          ? query.call(connection, rewrite(given), ...rest)
          : query.call(connection, { ...given, sql: rewrite(given.sql) }, ...rest)
    })
    const store = createMysqlEventStore({ ...options, pool })
    const close = store.close.bind(store)
    return Object.assign(store, { close: () => close().then(() => pool.end()) })
  }
}

rewritesTurnRed(faults, (rewrite) => mysqlHarness('mysql', opening(rewrite)))
