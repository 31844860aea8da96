import { once } from 'node:events'
import type { EventStore, Projection, ProjectionInfo } from '@varve/core'
import { Checks } from './checks.ts'
import { type Expected, readExpected } from './expected.ts'
import { handleAll, itemsOf, SNAPSHOTS } from './handle.ts'
import { readInput } from './input.ts'
import { killInTheMiddle } from './interrupt.ts'
import { heading, table, type Write } from './report.ts'
import { sqlFor } from './sql.ts'
import { readStock, STOCK, stockProjection } from './stock.ts'

export interface InventoryOptions {
  /** As it was opened: bound to no tenant. */
  readonly store: EventStore
  /** With which another process opens the same store. */
  readonly url: string
  readonly write: Write
  readonly expected?: Expected
}

const LEASE_MS = 1_000
const BEFORE_THE_KILL = 550

/** The whole example; resolves to whether all expectations held. */
export async function runInventory({ store, url, write, expected = readExpected() }: InventoryOptions) {
  const sql = sqlFor(url)
  const checks = new Checks(write)
  const tenants = [...new Set(expected.stock.map(({ tenant }) => tenant))]

  heading(write, '1. Movements of two tenants')
  const outcomes = await handleAll(store, readInput())
  const refused = outcomes.flatMap(({ id, refused: reason }) =>
    reason === undefined ? [] : [{ id, reason }],
  )
  const known = outcomes.filter((outcome) => outcome.known).length
  if (known > 0) write(`  ${known} lines were stored already, by an earlier run`)
  write(`  ${outcomes.length} lines, ${refused.length} refused:`)
  const reasons = Map.groupBy(refused, ({ reason }) => reason)
  table(
    write,
    [...reasons].map(([reason, { length }]) => ({ reason, lines: length })),
  )

  heading(write, '2. The read model is killed in the middle, and goes on')
  // an earlier run has built it: from the beginning again
  if ((await store.projections.get(STOCK)) !== undefined) await store.projections.rebuild(STOCK)
  const projection = stockProjection({ sql })
  if (url === 'sqlite::memory:') {
    write('  (a database in memory has no other process: it is stopped)')
    await stopInTheMiddle(store, projection)
  } else {
    await killInTheMiddle(url, BEFORE_THE_KILL, LEASE_MS)
  }
  const stopped = await store.projections.get(STOCK)
  offsets(write, stopped)
  const runner = store.projections.run([projection], { leaseMs: LEASE_MS })
  await runner.caughtUp()
  const caughtUp = await store.projections.get(STOCK)
  offsets(write, caughtUp)
  const stock = await readStock(store, sql)

  heading(write, '3. It is deleted and built anew')
  await store.projections.rebuild(STOCK)
  await runner.caughtUp()
  const rebuilt = await readStock(store, sql)
  offsets(write, await store.projections.get(STOCK))
  await runner.stop()

  heading(write, '4. Stock')
  table(
    write,
    expected.stock
      .map(({ item }) => item)
      .filter((item, index, all) => all.indexOf(item) === index)
      .map((item) => ({
        item,
        ...Object.fromEntries(
          tenants.map((tenant) => [
            tenant,
            stock.find((row) => row.tenant === tenant && row.item === item)?.quantity ?? '',
          ]),
        ),
      })),
  )

  heading(write, '5. Expectations')
  const own = stock.filter(({ tenant }) => tenants.includes(tenant))
  checks.equal('the stock is what the movements come to', own, expected.stock)
  checks.equal('built anew, it is the same', rebuilt, stock)
  checks.equal('refused were exactly the lines expected', refused, expected.refused)
  checks.equal('it had been interrupted before the end', (stopped?.lag.events ?? 0) > 0, true)
  checks.equal('nothing is left to be done', caughtUp?.lag.events, 0)
  const busiest = expected.stock.reduce((most, row) => (row.movements > most.movements ? row : most))
  const shop = store.forTenant(busiest.tenant)
  checks.equal(
    `of ${busiest.item} the newest snapshots are kept`,
    (await shop.snapshots.list(busiest.item)).length,
    SNAPSHOTS.keep,
  )
  checks.equal(
    'its aggregate agrees with the read model',
    (await itemsOf(shop).load(busiest.item)).state.quantity,
    busiest.quantity,
  )
  let events = 0
  for (const tenant of tenants) {
    const report = await store.forTenant(tenant).verify()
    checks.equal(`${tenant}: all checksums, versions and heads are right`, report.ok, true)
    events += report.events
  }
  checks.equal('no event is missing, none is stored twice', events, expected.events)
  for (const statement of [`update ${sql.events} set version = 7`, `delete from ${sql.events}`]) {
    checks.equal(
      `the database refuses: ${statement}`,
      await isRefused(store, (client) => sql.run(client, statement)),
      true,
    )
  }
  return checks.passed
}

async function stopInTheMiddle(store: EventStore, projection: Projection): Promise<void> {
  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort')
  let applied = 0
  const runner = store.projections.run([projection], {
    signal: stopping.signal,
    checkpointEvery: 100,
    onBatch: ({ events }) => {
      if ((applied += events) > BEFORE_THE_KILL) stopping.abort()
    },
  })
  await stopped
  await runner.stop()
}

/** How far the read model has come, as `projection_checkpoints` has it. */
function offsets(write: Write, info: ProjectionInfo | undefined): void {
  if (info === undefined) return
  const { name, status, lastPosition, eventsProcessed, lag } = info
  table(write, [
    {
      projection: name,
      status,
      position: lastPosition,
      applied: eventsProcessed,
      'events behind': lag.events,
      'seconds behind': lag.seconds.toFixed(1),
    },
  ])
}

async function isRefused(store: EventStore, work: (client: unknown) => Promise<unknown>): Promise<boolean> {
  try {
    await store.transaction(({ client }) => work(client))
    return false
  } catch {
    return true
  }
}
