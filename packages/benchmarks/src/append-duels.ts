import type { EventStore } from '@varve/core'
import type { Context, Engine } from './benchmark.ts'
import { runCallers } from './callers.ts'
import { duel } from './duel.ts'
import { newOrder } from './payload.ts'

const STREAMS_PER_CALLER = 8
const EVENTS_PER_STREAM = 5

/** A store, and beside it the bare driver with a table that has one unique key. */
export interface AppendBench {
  readonly store: Pick<EventStore, 'append'>
  /** One row by the bare driver, committed by itself. */
  insert(streamId: string, version: number): unknown
  /** Makes streams of the store: `prefix-0`, `prefix-1` … */
  fill(events: number, perStream: number, prefix: string): Promise<void>
}

export interface AppendDuels {
  readonly benchmark: string
  readonly engine: Engine
  /** The least ratio, by the number of callers; undefined where it is only told. */
  readonly targets: ReadonlyMap<number, number | undefined>
  /** By the number of callers: at most this part of the bare driver's p99. */
  readonly p99Targets?: ReadonlyMap<number, number>
}

/** One event to streams that exist, with the version expected, against a single-row INSERT by the same callers. */
export async function compareAppends(
  context: Context,
  bench: AppendBench,
  { benchmark, engine, targets, p99Targets }: AppendDuels,
): Promise<void> {
  const most = Math.max(...targets.keys())
  const streams = most * STREAMS_PER_CALLER
  await bench.fill(streams * EVENTS_PER_STREAM, EVENTS_PER_STREAM, 'order')
  const versions = Array.from({ length: streams }, () => EVENTS_PER_STREAM)
  const bareVersions = Array.from({ length: streams }, () => 0)
  const turns = Array.from({ length: most }, () => 0)
  const nextStream = (caller: number) => {
    const turn = (turns[caller] = ((turns[caller] ?? 0) + 1) % STREAMS_PER_CALLER)
    return caller * STREAMS_PER_CALLER + turn
  }

  let number = 0
  const append = async (caller: number) => {
    const stream = nextStream(caller)
    const expectedVersion = versions[stream] ?? 0
    versions[stream] = expectedVersion + 1
    await bench.store.append(`order-${stream}`, [newOrder(number++)], { expectedVersion })
  }
  const bare = async (caller: number) => {
    const stream = nextStream(caller)
    const version = (bareVersions[stream] ?? 0) + 1
    bareVersions[stream] = version
    await bench.insert(`order-${stream}`, version)
  }
  // one caller would not call often enough for Node to compile what it calls
  for (const warm of [append, bare]) await runCallers(16, context.roundMs * 2, warm)

  for (const [callers, target] of targets) {
    const p99Target = p99Targets?.get(callers)
    await duel(context, {
      benchmark,
      engine,
      label: `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
      ...(target !== undefined && { target: { atLeast: target } }),
      ...(p99Target !== undefined && { p99Target: { atMost: p99Target } }),
      ours: () => runCallers(callers, context.roundMs, append),
      bare: () => runCallers(callers, context.roundMs, bare),
    })
  }
}
