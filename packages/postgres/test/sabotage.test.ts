import type { EventStore } from '@varve/core'
import { firstFailure } from '@varve/test-servers'
import pg from 'pg'
import { expect, test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'
import { postgresHarness } from './harness.js'

type Rewrite = (text: string) => string

/** What the server is sent, broken on purpose; and the topic of the suite that has to notice. */
const faults: readonly [name: string, caughtBy: string, part: RegExp, instead: string][] = [
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

test.for(faults)(
  'the suite turns red for a store that %s',
  { timeout: 120_000 },
  async ([, caughtBy, part, instead], { annotate }) => {
    let hits = 0
    const rewrite: Rewrite = (text) => {
      const changed = text.replace(part, instead)
      if (changed !== text) hits++
      return changed
    }
    const harness = await postgresHarness('sabotaged', opening(rewrite))
    try {
      const failure = await firstFailure(harness, { only: caughtBy, caseTimeoutMs: 10_000 })
      await annotate(`caught by ${failure?.id ?? 'nobody'}`)
      expect(hits).toBeGreaterThan(0)
      expect(failure).toMatchObject({ topic: caughtBy })
    } finally {
      await harness.drop()
    }
  },
)
