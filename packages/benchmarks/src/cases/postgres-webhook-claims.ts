import { spreadOf } from '../spread.ts'
import type { Benchmark } from '../benchmark.ts'
import { openWebhookBench } from '../webhook-bench.ts'
import { newOrder } from '../payload.ts'

/** Whether what has been sent before makes the next claims dearer: a backlog is sent behind a short and a long history. */
export const webhookClaims: Benchmark = {
  name: 'webhook claims',
  engine: 'postgres',
  async run(context) {
    await using bench = await openWebhookBench(context)
    const { store, webhooks, pool, url } = bench
    const { endpoint } = await webhooks.endpoints.create({ url: `${url}/hooks`, maxConcurrency: 256 })
    const jobs = context.quick ? 500 : 5_000
    for (let at = 0; at < jobs; at += 500) {
      await store.append(
        `orders-${at}`,
        Array.from({ length: 500 }, (_, index) => newOrder(at + index)),
      )
    }
    const [first, last] = [await store.readAll().first(), await store.readAll().last()]
    const range = { endpointId: endpoint.id, from: first?.position ?? 1, to: last?.position ?? 1 }
    const round = async () => {
      await webhooks.deliveries.replay(range)
      const { requests } = await bench.told()
      const worker = webhooks.run({ fanOut: false })
      const begun = performance.now()
      await bench.drained(endpoint.id, requests, jobs)
      const perJob = (performance.now() - begun) / jobs
      await worker.stop()
      return perJob
    }
    const rounds = async () => {
      const times: number[] = []
      await round()
      for (let n = 0; n < context.rounds; n++) times.push(await round())
      return times
    }
    const before = await rounds()
    const history = context.quick ? 20_000 : 1_000_000
    await pool.query(
      `insert into varve.webhook_jobs (id, endpoint_id, tenant_id, event_id, event_type, position, generation, status, attempts, max_attempts, lost, fence, created_at, updated_at)
       select (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid, $1, 'default', gen_random_uuid(), 'order.placed', 1, 0, 'completed', 1, 10, 0, 1, now(), now()
       from generate_series(1, ${history}) as n`,
      [endpoint.id],
    )
    await pool.query(
      `insert into varve.webhook_deliveries (id, job_id, endpoint_id, tenant_id, event_id, event_type, attempt, succeeded, status_code, response_body, duration_ms, created_at)
       select id, id, endpoint_id, tenant_id, event_id, event_type, 1, true, 204, '', 3, created_at from varve.webhook_jobs where id < '10000000-0000-0000-0000-000000000000' and position = 1`,
    )
    // as the server does by itself a while later, and not in the middle of a round
    for (const table of ['webhook_jobs', 'webhook_deliveries'])
      await pool.query(`vacuum (analyze) varve.${table}`)
    const after = await rounds()
    context.report({
      benchmark: 'webhook claims',
      engine: 'postgres',
      label: `time per job, ${history} rows of history to few`,
      unit: 'ratio',
      value: spreadOf(after.map((time, index) => time / (before[index] ?? time))),
      target: { atMost: 1.2 },
    })
  },
}
