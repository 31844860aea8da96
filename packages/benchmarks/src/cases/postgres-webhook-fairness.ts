import type { Benchmark } from '../benchmark.ts'
import { latenciesOf } from '../latencies.ts'
import { spreadOf } from '../spread.ts'
import { openWebhookBench } from '../webhook-bench.ts'

const HEALTHY = 20

/** What one endpoint that never answers, with a backlog, does to the 99th percentile of twenty that do. */
export const webhookFairness: Benchmark = {
  name: 'webhook fairness',
  engine: 'postgres',
  async run(context) {
    await using bench = await openWebhookBench(context)
    const { store, webhooks, url } = bench
    const dead = await webhooks.endpoints.create({ url: `${url}/dead`, events: ['dead.*'] })
    for (let n = 0; n < HEALTHY; n++) {
      await webhooks.endpoints.create({ url: `${url}/timed/${n}`, events: ['order.*'] })
    }
    await using worker = webhooks.run()
    await worker.caughtUp()
    const backlog = context.quick ? 1_000 : 20_000
    for (let at = 0; at < backlog; at += 500) {
      await store.append(
        'dead',
        Array.from({ length: 500 }, () => ({ type: 'dead.letter', data: {} })),
      )
    }
    await worker.caughtUp()

    const appends = Math.round(Math.max(2, context.roundMs / 1_000) * 20)
    const round = async (into: number[]) => {
      await bench.told()
      const latencies: number[] = []
      for (let n = 0; n < appends; n++) {
        const sentAt = performance.timeOrigin + performance.now()
        await store.append(`order-${n}`, [{ type: 'order.placed', data: { sentAt } }])
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      while (latencies.length < appends * HEALTHY) {
        latencies.push(...(await bench.told()).latencies)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      into.push(...latencies)
      return latenciesOf(latencies).p99
    }
    // in turn, so that what changes meanwhile on the machine or in the tables hits both
    const all: { alone: number[]; beside: number[] } = { alone: [], beside: [] }
    const rounds: { alone: number[]; beside: number[] } = { alone: [], beside: [] }
    await round([])
    for (let n = 0; n < context.rounds; n++) {
      await webhooks.endpoints.disable(dead.endpoint.id)
      rounds.alone.push(await round(all.alone))
      await webhooks.endpoints.enable(dead.endpoint.id)
      rounds.beside.push(await round(all.beside))
    }
    await webhooks.endpoints.delete(dead.endpoint.id)
    const [alone, beside] = [latenciesOf(all.alone).p99, latenciesOf(all.beside).p99]
    context.report({
      benchmark: 'webhook fairness',
      engine: 'postgres',
      label: `p99 of ${HEALTHY} beside a dead one with ${backlog} jobs, to without`,
      unit: 'ratio',
      // a round's p99 is that of its slowest append; all of them together tell more
      value: {
        ...spreadOf(rounds.beside.map((p99, index) => p99 / (rounds.alone[index] ?? p99))),
        median: beside / alone,
      },
      target: { atMost: 1.1 },
      note: `p99 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside it`,
    })
  },
}
