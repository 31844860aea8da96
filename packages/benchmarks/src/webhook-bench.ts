import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createPostgresEventStore } from '@varve/postgres'
import { createWebhooks } from '@varve/webhooks'
import type { WebhookOptions, Webhooks } from '@varve/webhooks'
import pg from 'pg'
import type { Context } from './benchmark.ts'

/** What the receiver has counted since it began, and the ages of timed events since it was asked last. */
export interface Told {
  readonly requests: number
  readonly latencies: number[]
}

/** A store with webhooks on Postgres, and a receiver in a process of its own. */
export async function openWebhookBench(context: Context, options: Partial<WebhookOptions> = {}) {
  const database = await context.servers.postgresDatabase()
  const store = createPostgresEventStore({ connectionString: database.url, preset: 'production' })
  await store.migrate()
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  pool.on('error', (error) => console.error(error.message))
  const webhooks: Webhooks = createWebhooks(store, {
    encryptionKeys: [{ id: 'bench', key: 'a'.repeat(64) }],
    allowNetworks: ['127.0.0.1'],
    ...options,
  })
  await webhooks.migrate()
  const child = fork(new URL('webhook-receiver.mjs', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const bench = {
    store,
    webhooks,
    pool,
    url: `http://127.0.0.1:${port}`,
    async told(): Promise<Told> {
      child.send({})
      const [told] = (await once(child, 'message')) as [Told]
      return told
    },
    /** Waits until the receiver has had so many requests more, and no job of the endpoint is left. */
    async drained(endpointId: string, before: number, requests: number): Promise<void> {
      while ((await bench.told()).requests < before + requests) await pause(5)
      const text =
        `select 1 where exists (select 1 from varve.webhook_jobs where endpoint_id = $1 and status = 'pending') ` +
        `or exists (select 1 from varve.webhook_jobs where endpoint_id = $1 and status = 'processing')`
      while ((await pool.query({ name: 'left', text, values: [endpointId] })).rowCount !== 0) await pause(5)
    },
    async [Symbol.asyncDispose]() {
      await webhooks.close()
      await store.close()
      await pool.end()
      child.disconnect()
      await database.drop()
    },
  }
  return bench
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
