import type { EventStore, NewEvent } from '@varve/core'
import { onTestFinished } from 'vitest'
import { createWebhooks } from '../../src/index.js'
import type { WebhookAlarm, WebhookJob, WebhookOptions, Webhooks } from '../../src/index.js'
import type { Engine, OpenStore } from './engines.js'
import { sqlFor } from './engines.js'
import { startReceiver } from './receiver.js'
import type { Receiver } from './receiver.js'

export const encryptionKeys = [{ id: 'test', key: 'a'.repeat(64) }]

export interface Fixture {
  readonly opened: OpenStore
  readonly store: EventStore
  readonly webhooks: Webhooks
  readonly receiver: Receiver
  readonly alarms: WebhookAlarm[]
  sql(text: string): Promise<readonly (readonly unknown[])[]>
  /** Another process's webhooks on the same tables. */
  another(options?: Partial<WebhookOptions>): Webhooks
  /** Appends events of a type to a stream, with numbers as data. */
  append(count: number, options?: { type?: string; stream?: string; first?: number }): Promise<string[]>
  /** Makes everything that waits due now, whatever its delay. */
  makeDue(): Promise<void>
  /** Waits until the jobs are so. */
  jobs(condition: (jobs: WebhookJob[]) => boolean): Promise<WebhookJob[]>
}

/** A store of its own with webhooks and a receiver, all of which go with the test. */
export async function fixture(
  engine: Engine,
  options: Partial<WebhookOptions> & { proxied?: boolean } = {},
): Promise<Fixture> {
  const { proxied = false, ...given } = options
  const opened = await engine.open({ proxied })
  const receiver = await startReceiver()
  const alarms: WebhookAlarm[] = []
  const made: Webhooks[] = []
  const make = (store: EventStore, own: Partial<WebhookOptions>): Webhooks => {
    const webhooks = createWebhooks(store, {
      encryptionKeys,
      allowNetworks: ['127.0.0.0/8'],
      pollIntervalMs: 50,
      timeoutMs: 2_000,
      leaseMs: 10_000,
      onAlarm: (alarm) => void alarms.push(alarm),
      ...own,
    })
    made.push(webhooks)
    return webhooks
  }
  const webhooks = make(opened.store, given)
  await webhooks.migrate()
  onTestFinished(async () => {
    await receiver.close()
    await Promise.all(made.map((each) => each.close()))
    await opened.close()
  })
  const direct = opened.proxy === undefined ? opened.store : opened.another()
  const sql = sqlFor(direct)
  return {
    opened,
    store: opened.store,
    webhooks,
    receiver,
    alarms,
    sql,
    another: (own = {}) => make(opened.another(), { ...given, ...own }),
    async append(count, { type = 'order.placed', stream = 'order-1', first = 1 } = {}) {
      const events: NewEvent[] = Array.from({ length: count }, (_, index) => ({
        type,
        data: { number: first + index },
      }))
      return (await opened.store.append(stream, events)).events.map(({ id }) => id)
    },
    async makeDue() {
      const past = 'case when next_attempt is null then null else created_at end'
      await sql(`update {{webhook_jobs}} set next_attempt = ${past} where status = 'pending'`)
      await sql(
        `update {{webhook_endpoint_health}} set not_before = null, due_at = (select min(j.next_attempt) from {{webhook_jobs}} j ` +
          `where j.endpoint_id = {{webhook_endpoint_health}}.endpoint_id and j.status = 'pending')`,
      )
    },
    async jobs(condition) {
      for (;;) {
        const jobs = await webhooks.deliveries.list({ limit: 1_000 })
        if (condition(jobs)) return jobs
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

/** Waits until something holds. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

export const done = (jobs: WebhookJob[]): boolean =>
  jobs.length > 0 &&
  jobs.every(({ status }) => status === 'completed' || status === 'failed' || status === 'cancelled')
export const isEvery =
  (status: WebhookJob['status'], count: number) =>
  (jobs: WebhookJob[]): boolean =>
    jobs.length === count && jobs.every((job) => job.status === status)
