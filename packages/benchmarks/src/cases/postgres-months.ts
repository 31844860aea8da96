import { randomUUID } from 'node:crypto'
import type { EventStore } from '@varve/core'
import { compareAppends } from '../append-duels.ts'
import type { Benchmark, Context } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { MONTHS, openMonthsBench } from '../months-bench.ts'
import { fillStore } from '../fill.ts'
import { newOrder } from '../payload.ts'

const CALLERS = 64
const PER_STREAM = 100

/** What partitions cost, against one table with the same events; and what the size of the log costs in either. */
export const postgresMonths: Benchmark = {
  name: 'months',
  engine: 'postgres',
  async run(context) {
    const events = context.full ? 5_000_000 : context.quick ? 50_000 : 1_000_000
    await using bench = await openMonthsBench(context, events)
    const { whole, monthly, small, smallMonthly } = bench
    const size = `${events / 1_000}k events`
    // a cost of 1.2 is a speed of 1 / 1.2
    await appends(context, `${MONTHS} months to one table, append`, monthly, whole, { target: 1 / 1.2 })
    await appends(context, `${MONTHS} months to one table, append, ids given`, monthly, whole, { ids: true })
    await pages(context, `${MONTHS} months to one table, page`, monthly, whole, events, 1 / 1.2)
    await streams(context, `${MONTHS} months to one table, readStream`, monthly, whole, events)
    await appends(context, `${size} to 10k, append`, whole, small, { target: 1 / 1.2 })
    await pages(context, `${size} to 10k, page`, whole, small, events, 1 / 1.2)
    await appends(context, `${size} to 10k in months, append`, monthly, smallMonthly, { target: 1 / 1.2 })
    await pages(context, `${size} to 10k in months, page`, monthly, smallMonthly, events, 1 / 1.2)
  },
}

let runs = 0

async function appends(
  context: Context,
  benchmark: string,
  ours: EventStore,
  bare: EventStore,
  { target, ids = false }: { target?: number; ids?: boolean },
) {
  const run = ++runs
  let number = 0
  const append = (store: EventStore, streamId: string, expectedVersion: number) =>
    store.append(`run-${run}-${streamId}`, [{ ...newOrder(number++), ...(ids && { id: randomUUID() }) }], {
      expectedVersion,
    })
  const store: Pick<EventStore, 'append'> = {
    append: (streamId: string, _: unknown, { expectedVersion }: { expectedVersion: number }) =>
      append(ours, streamId, expectedVersion),
  }
  await compareAppends(
    context,
    {
      store,
      insert: (streamId, version) => append(bare, streamId, version + 4),
      async fill(events, perStream, prefix) {
        for (const each of [ours, bare])
          await fillStore(each, { events, perStream, prefix: `run-${run}-${prefix}`, callers: 4 })
      },
    },
    { benchmark, engine: 'postgres', targets: new Map([[CALLERS, target]]) },
  )
}

/** Pages of the log from anywhere in it; each store has its own length. */
async function pages(
  context: Context,
  benchmark: string,
  ours: EventStore,
  bare: EventStore,
  events: number,
  target: number,
) {
  const page = async (store: EventStore, length: number) => {
    const after = Math.floor(Math.random() * (length - 1_000))
    const read = await store.readAll({ after, limit: 500 }).toArray()
    if (read.length !== 500) throw new Error(`a page of ${read.length} events behind ${after}`)
  }
  const length = (store: EventStore) => lengths.get(store) ?? events
  const lengths = new Map<EventStore, number>()
  for (const store of [ours, bare]) lengths.set(store, Math.min(events, await store.lastPosition()))
  await duel(context, {
    benchmark,
    engine: 'postgres',
    label: '500 events',
    target: { atLeast: target },
    ours: () => runCallers(1, context.roundMs, () => page(ours, length(ours))),
    bare: () => runCallers(1, context.roundMs, () => page(bare, length(bare))),
  })
}

async function streams(
  context: Context,
  benchmark: string,
  ours: EventStore,
  bare: EventStore,
  events: number,
) {
  const read = async (store: EventStore) => {
    const nth = Math.floor(Math.random() * PER_STREAM)
    const copy = Math.floor((Math.random() * events) / 10_000)
    const found = await store.readStream(`filled-${nth}-${copy}`).toArray()
    if (found.length !== PER_STREAM) throw new Error(`a stream of ${found.length} events`)
  }
  await duel(context, {
    benchmark,
    engine: 'postgres',
    label: `${PER_STREAM} events`,
    target: { atLeast: 0.5 },
    ours: () => runCallers(1, context.roundMs, () => read(ours)),
    bare: () => runCallers(1, context.roundMs, () => read(bare)),
  })
}
