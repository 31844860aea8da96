import { createRepository, defineAggregate, eventData } from '@varve/core'
import type { EventStore } from '@varve/core'
import type { Context, Engine } from './benchmark.ts'
import { runCallers } from './callers.ts'
import { duel } from './duel.ts'
import { newOrder } from './payload.ts'

const EVENTS = 10_000
/** As many as there are on average when every hundredth takes a snapshot. */
const SINCE = 50

const counter = defineAggregate({
  type: 'order',
  events: { 'order.placed': eventData<object>() },
  initialState: {
    placed: 0,
    lines: Array.from({ length: 20 }, (_, line) => ({ line, text: 'a line of the state' })),
  },
  evolve: (state) => ({ ...state, placed: state.placed + 1 }),
})

/** Loading an aggregate from its snapshot and what came after it, against replaying all of it. */
export async function loadAggregate(context: Context, engine: Engine, store: EventStore): Promise<void> {
  const append = (count: number) =>
    store.append(
      'long',
      Array.from({ length: count }, (_, n) => newOrder(n)),
      { streamType: 'order' },
    )
  for (let stored = 0; stored < EVENTS; stored += 500) await append(500)
  const snapshots = createRepository(store, counter, { snapshots: { every: 100, keep: 5 } })
  await snapshots.load('long')
  await append(SINCE)
  const replay = createRepository(store, counter)
  const load = (repository: typeof replay) => async (): Promise<void> => {
    const { state, version } = await repository.load('long')
    if (version !== EVENTS + SINCE || state.placed !== version) throw new Error(`loaded ${version} events`)
  }
  await duel(context, {
    benchmark: 'load, snapshot to replay',
    engine,
    label: '10,000 events',
    target: { atLeast: 30 },
    ours: () => runCallers(1, context.roundMs, load(snapshots)),
    bare: () => runCallers(1, context.roundMs, load(replay)),
  })
}
