import type { EventStore } from '@varve/core'
import { rewritesTurnRed } from '@varve/test-servers/vitest'
import type { Rewrite, RewriteFault } from '@varve/test-servers/vitest'
import pg from 'pg'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'
import { postgresHarness } from './harness.js'

const faults: readonly RewriteFault[] = [
  ['takes what it sees for settled', 'skips', /and l\.granted /, 'and l.granted and false '],
  ['waits for nobody but itself', 'skips', /and l\.granted /, 'and l.granted and l.pid = pg_backend_pid() '],
  ['hands out positions from a cache', 'skips', /as bigint cache 1;/, 'as bigint cache 20;'],
  ['locks no heads', 'conflicts', /limit 1 for no key update( skip locked)?/, 'limit 1'],
  [
    'looks at the head of any tenant',
    'tenants',
    /where s\.tenant_id = w\.tenant_id and s\.stream_id/,
    'where s.stream_id',
  ],
  ['appends to archived streams', 'archive', /\(?s\.archived_at is null( or w\.events = 0\))?/, 'true'],
  ['takes any expectation for met', 'expected-version', /w\.expected = s\.version/, 'w.expected >= 0'],
  // of flushes to streams that exist, which have a statement of their own
  [
    'takes any expectation of a stream that exists for met',
    'expected-version',
    /\(w\.expected < 0 or w\.expected = s\.version\)/,
    'true',
  ],
  ['appends to archived streams that exist', 'archive', /where s\.archived_at is null and/, 'where'],
  [
    'takes any type of a stream that exists',
    'streams',
    /\(w\.stream_type is null or w\.stream_type = s\.stream_type\)\s+and \(w\.expected < 0/,
    '(w.expected < 0',
  ],
  [
    'locks no heads that exist',
    'conflicts',
    /(select tenant_id, stream_id, stream_type, version, archived_at from[^)]*limit 1) for no key update( skip locked)?/,
    '$1',
  ],
  ['takes the checksum of something else', 'integrity', /convert_to\(/, `convert_to(' ' || `],
  [
    'lets events be changed',
    'append-only',
    /raise exception 'events are append-only/,
    `return old; raise exception 'events are append-only`,
  ],
  [
    'knows event ids twice',
    'duplicates',
    /create unique index idx_events_event_id/,
    'create index idx_events_event_id',
  ],
]

function opening(rewrite: Rewrite): (options: PostgresEventStoreOptions) => EventStore<pg.PoolClient> {
  class Client extends pg.Client {
    override query(...call: unknown[]): never {
      const [statement] = call as [unknown]
      if (typeof statement === 'string') call[0] = rewrite(statement)
      else if (typeof statement === 'object' && statement !== null && 'text' in statement)
        statement.text = rewrite(String(statement.text))
      return super.query(...(call as [string])) as never
    }
  }
  return ({ connectionString, ...options }) => {
    const pool = new pg.Pool({ connectionString, max: 6, Client })
    pool.on('error', () => undefined)
    const store = createPostgresEventStore({ ...options, pool })
    const close = store.close.bind(store)
    return Object.assign(store, { close: () => close().then(() => pool.end()) })
  }
}

rewritesTurnRed(faults, (rewrite) => postgresHarness('sabotaged', opening(rewrite)))
