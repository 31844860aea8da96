import type { Benchmark, Context } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { newOrder } from '../payload.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const STREAMS_PER_CALLER = 8

const targets = {
  jsonb: new Map([
    [1, 0.8],
    [16, 1.5],
    [64, 2.3],
    [256, 2.5],
  ]),
  json: new Map([
    [1, 0.8],
    [16, 1.7],
    [64, 2.9],
    [256, 3.2],
  ]),
}

/** One event to streams that exist, with the version expected, against a single-row INSERT by the same callers. */
export const postgresAppend: Benchmark = {
  name: 'append',
  engine: 'postgres',
  async run(context) {
    await compare(context, 'jsonb')
    await compare(context, 'json')
  },
}

async function compare(context: Context, dataType: 'jsonb' | 'json') {
  await using bench = await openPostgresBench(context, dataType)
  const { store } = bench
  const streams = 256 * STREAMS_PER_CALLER
  await bench.fill(streams * 5, 5, 'order')
  const versions = Array.from({ length: streams }, () => 5)
  const bareVersions = Array.from({ length: streams }, () => 0)
  const turns = Array.from({ length: 256 }, () => 0)
  const nextStream = (caller: number) => {
    const turn = (turns[caller] = ((turns[caller] ?? 0) + 1) % STREAMS_PER_CALLER)
    return caller * STREAMS_PER_CALLER + turn
  }

  let number = 0
  const append = async (caller: number) => {
    const stream = nextStream(caller)
    const expectedVersion = versions[stream] ?? 0
    versions[stream] = expectedVersion + 1
    await store.append(`order-${stream}`, [newOrder(number++)], { expectedVersion })
  }
  const insert = async (caller: number) => {
    const stream = nextStream(caller)
    const version = (bareVersions[stream] ?? 0) + 1
    bareVersions[stream] = version
    await bench.insert(`order-${stream}`, version)
  }
  // one caller would not call often enough for Node to compile what it calls
  for (const warm of [append, insert]) await runCallers(16, context.roundMs * 2, warm)

  for (const [callers, target] of targets[dataType]) {
    await duel(context, {
      benchmark: `append 1, ${dataType}`,
      engine: 'postgres',
      label: `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
      target: { atLeast: target },
      ...(callers === 64 && { p99Target: { atMost: 0.7 } }),
      ours: () => runCallers(callers, context.roundMs, append),
      bare: () => runCallers(callers, context.roundMs, insert),
    })
  }
}
