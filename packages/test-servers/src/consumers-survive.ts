import type { EventStore } from '@varve/core'
import { expect } from 'vitest'
import { runChaos } from './chaos.ts'
import { consumerFleet } from './consumer-fleet.ts'
import type { StoreAddress } from './consumer-fleet.ts'
import { countingProjections, countingTables } from './consumers.ts'
import { CHAOS_MS } from './torture.ts'

export interface Survival<Client> {
  /** Migrated, and empty. */
  readonly store: EventStore<Client>
  /** The same for other processes. */
  readonly address: StoreAddress
  /** Runs a statement beside the store; gives its rows. */
  readonly sql: (text: string) => Promise<readonly object[]>
  /** Something else that goes wrong now and then: backends killed, say. */
  readonly trouble?: () => Promise<unknown>
}

const LEASE_MS = 600

/**
 * Kills processes that keep read models, and does what else is troublesome, while writers append. Then compares the models
 * with the log: nothing is lost, nothing applied twice, and in each stream all of it in its order.
 */
export async function consumersSurvive<Client>({
  store,
  address,
  sql,
  trouble,
}: Survival<Client>): Promise<void> {
  for (const table of countingTables) await sql(table)
  const fleet = consumerFleet(address, LEASE_MS)
  await runChaos({
    fleet,
    processes: 2,
    forMs: CHAOS_MS,
    writers: 4,
    append: (n) => store.append(`s-${n % 23}`, [{ type: 'counted', data: n }]),
    ...(trouble && { trouble }),
  })
  await fleet.killAll()
  const projections = countingProjections<Client>({ mysql: address.mysql === true })
  const runner = store.projections.run(projections, { leaseMs: LEASE_MS })
  await runner.caughtUp()
  await runner.stop()

  const streams = new Map<string, number>()
  for await (const event of store.readAll()) streams.set(event.streamId, event.version)
  const events = [...streams.values()].reduce((sum, version) => sum + version, 0)
  const model = (await sql(
    'select projection, stream_id, events, last_version from chaos_model',
  )) as readonly Record<'projection' | 'stream_id' | 'events' | 'last_version', unknown>[]
  const seen = (await sql(
    'select projection, count(*) as n from chaos_seen group by projection order by projection',
  )) as readonly Record<'projection' | 'n', unknown>[]
  for (const { name } of projections) {
    const own = model.filter(({ projection }) => projection === name)
    expect(new Map(own.map((row) => [row.stream_id, Number(row.events)]))).toEqual(streams)
    expect(new Map(own.map((row) => [row.stream_id, Number(row.last_version)]))).toEqual(streams)
  }
  expect(seen.map(({ projection, n }) => [projection, Number(n)])).toEqual([
    ['split', events],
    ['whole', events],
  ])
  expect(events).toBeGreaterThan(100)
  expect(fleet.killed).toBeGreaterThan(2)
  const led = fleet.messages.filter(
    (message) => (message as { lease?: { event: string } }).lease?.event === 'acquired',
  )
  expect(led.length).toBeGreaterThan(2)
  expect(fleet.output).toBe('')
}
