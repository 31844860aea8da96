import type { Benchmark } from '../benchmark.ts'
import { latenciesOf } from '../latencies.ts'
import { spreadOf } from '../spread.ts'
import { openWebhookBench } from '../webhook-bench.ts'

/** How long after an append its request comes in, when nothing else goes on. */
export const webhookLatency: Benchmark = {
  name: 'webhook latency',
  engine: 'postgres',
  async run(context) {
    await using bench = await openWebhookBench(context)
    const { store, webhooks, url } = bench
    await webhooks.endpoints.create({ url: `${url}/timed` })
    await using worker = webhooks.run()
    await worker.caughtUp()
    const samples: number[] = []
    const appends = context.quick ? 20 : 200
    for (let n = 0; n < appends; n++) {
      const sentAt = performance.timeOrigin + performance.now()
      await store.append(`order-${n}`, [{ type: 'order.placed', data: { sentAt } }])
      let latencies: number[] = []
      while (latencies.length === 0) ({ latencies } = await bench.told())
      samples.push(...latencies)
      // nothing goes on
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 100))
    }
    const { p50, p99 } = latenciesOf(samples)
    const shared = { benchmark: 'webhook latency', engine: 'postgres', unit: 'ms' } as const
    context.report({
      ...shared,
      label: 'append to POST, p50',
      value: spreadOf([p50]),
      target: { atMost: 20 },
    })
    context.report({ ...shared, label: 'append to POST, p99', value: spreadOf([p99]) })
  },
}
