import type { LeaseReport } from '@varve/core'
import { consumerFleet, startPgbouncer } from '@varve/test-servers'
import { countingProjections, countingTables } from '@varve/test-servers/consumers'
import type { PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner, open, database } = useDatabase()

test('behind a proxy that pools transactions: two processes, one leader each, nothing applied twice', async () => {
  const { schema } = await fresh()
  for (const table of countingTables) await owner().query(table)
  await using pgbouncer = await startPgbouncer(database().url)
  const settings = {
    connectionString: pgbouncer.url,
    schema,
    preparedStatements: false,
    pool: { max: 8, min: 0 },
  }
  const store = open(settings)
  const address = {
    adapter: new URL('../src/index.ts', import.meta.url),
    create: 'createPostgresEventStore',
    options: settings,
  }
  const fleet = consumerFleet(address, 4_000)
  await Promise.all([fleet.start(), fleet.start()])
  const events = 600
  await Promise.all(
    Array.from({ length: events }, (_, n) => store.append(`s-${n % 17}`, [{ type: 'counted', data: n }])),
  )
  const own = store.projections.run(countingProjections<PoolClient>({ mysql: false }), { leaseMs: 4_000 })
  await own.caughtUp()
  const leases = fleet.messages.flatMap((message) => (message as { lease?: LeaseReport }).lease ?? [])
  // none runs out; what moves is handed over, and has one leader at a time
  expect(leases.filter(({ event }) => event === 'lost')).toEqual([])
  const led = leases.filter(({ event }) => event === 'acquired')
  const epochs = new Set(led.map(({ projection, shard, epoch }) => `${projection} ${shard} ${epoch}`))
  expect(led.length).toBeGreaterThanOrEqual(4)
  expect(epochs.size).toBe(led.length)
  const seen = await owner().query(
    'select projection, count(*)::int as n from chaos_seen group by projection order by projection',
  )
  expect(seen.rows).toEqual([
    { projection: 'split', n: events },
    { projection: 'whole', n: events },
  ])
  await fleet.killAll()
  await store.append('s-1', [{ type: 'counted', data: 'after' }])
  await own.caughtUp()
  const after = await owner().query('select count(*)::int as n from chaos_seen')
  expect(after.rows).toEqual([{ n: 2 * (events + 1) }])
  expect(fleet.output).toBe('')
  await own.stop()
  await store.close()
}, 90_000)
