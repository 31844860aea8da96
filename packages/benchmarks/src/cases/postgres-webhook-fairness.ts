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
    const seconds = Math.max(2, context.roundMs / 1_000)
    const round = async () => {
      await bench.told()
      const appends = Math.round(seconds * 20)
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
      return latenciesOf(latencies).p99
    }
    await round()
    const [alone, beside]: [number[], number[]] = [[], []]
    for (let n = 0; n < context.rounds; n++) alone.push(await round())
    const backlog = context.quick ? 1_000 : 20_000
    for (let at = 0; at < backlog; at += 500) {
      await store.append(
        'dead',
        Array.from({ length: 500 }, () => ({ type: 'dead.letter', data: {} })),
      )
    }
    await worker.caughtUp()
    for (let n = 0; n < context.rounds; n++) beside.push(await round())
    await webhooks.endpoints.delete(dead.endpoint.id)
    context.report({
      benchmark: 'webhook fairness',
      engine: 'postgres',
      label: `p99 of ${HEALTHY} beside a dead one with ${backlog} jobs, to without`,
      unit: 'ratio',
      value: spreadOf(beside.map((p99, index) => p99 / (alone[index] ?? p99))),
      target: { atMost: 1.1 },
      note: `p99 ${latenciesOf(alone).p50.toFixed(1)} ms alone, ${latenciesOf(beside).p50.toFixed(1)} ms beside it`,
    })
  },
}
