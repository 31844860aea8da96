import { Agent, request } from 'undici'
import type { Benchmark } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { newOrder } from '../payload.ts'
import { openWebhookBench } from '../webhook-bench.ts'

const CONCURRENCY = 64

/** Signed deliveries with their whole history, against bare requests of the same kind to the same receiver. */
export const webhookDeliveries: Benchmark = {
  name: 'webhook deliveries',
  engine: 'postgres',
  async run(context) {
    await using bench = await openWebhookBench(context, { concurrency: CONCURRENCY })
    const { store, webhooks, url } = bench
    const { endpoint } = await webhooks.endpoints.create({
      url: `${url}/hooks`,
      maxConcurrency: 8 * CONCURRENCY,
    })
    const jobs = context.quick ? 1_000 : 10_000
    for (let at = 0; at < jobs; at += 500) {
      await store.append(
        `orders-${at}`,
        Array.from({ length: 500 }, (_, index) => newOrder(at + index)),
      )
    }
    const [first, last] = [await store.readAll().first(), await store.readAll().last()]
    const range = { endpointId: endpoint.id, from: first?.position ?? 1, to: last?.position ?? 1 }
    const agent = new Agent({ connections: CONCURRENCY, pipelining: 1 })
    const body = Buffer.from(JSON.stringify({ ...first, streamType: undefined }))
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'msg_000000000000000000000000000',
      'webhook-timestamp': '1700000000',
      'webhook-signature': `v1,${'a'.repeat(44)}`,
    }

    const send = async () => {
      await webhooks.deliveries.replay(range)
      const { requests } = await bench.told()
      const begun = performance.now()
      const worker = webhooks.run({ fanOut: false })
      await bench.drained(endpoint.id, requests, jobs)
      const elapsedMs = performance.now() - begun
      await worker.stop()
      return { operations: jobs, elapsedMs, latencies: [elapsedMs / jobs] }
    }
    // it takes some ten thousand jobs until all of a worker is compiled
    for (let n = 0; n < 2; n++) await send()

    await duel(context, {
      benchmark: 'webhook deliveries',
      engine: 'postgres',
      label: `${CONCURRENCY} at a time`,
      target: { atLeast: 0.35 },
      ours: send,
      bare: () =>
        runCallers(CONCURRENCY, context.roundMs, async () => {
          const answer = await request(`${url}/hooks`, { method: 'POST', headers, body, dispatcher: agent })
          await answer.body.dump()
        }),
    })
    await agent.close()
  },
}
