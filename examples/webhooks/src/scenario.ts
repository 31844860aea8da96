import { randomUUID } from 'node:crypto'
import type { EventStore } from '@varve/core'
import { createWebhooks } from '@varve/webhooks'
import type { Webhooks } from '@varve/webhooks'
import { crashAt } from './crash.ts'
import { readInput } from './input.ts'
import { startReceiver } from './receiver.ts'
import type { Receiver } from './receiver.ts'
import { printDeliveries, printStats } from './report.ts'
import type { Delivered } from './report.ts'
import { settings } from './settings.ts'

export interface Scenario {
  readonly store: EventStore
  /** With which another process opens the same store. */
  readonly url: string
  readonly write: (line: string) => void
}

/** Runs the whole story; resolves to whether all came as expected. */
export async function runScenario({ store, url, write }: Scenario): Promise<boolean> {
  // a tenant of its own, so that it may run again on the same database
  const tenant = `shop-${randomUUID().slice(0, 8)}`
  const all = createWebhooks(store, settings)
  await all.migrate()
  const webhooks = all.forTenant(tenant)
  const receiver = await startReceiver()
  const failures: string[] = []
  const expect = (what: string, actual: unknown, wanted: unknown): void => {
    const holds = JSON.stringify(actual) === JSON.stringify(wanted)
    write(
      `${holds ? '  ok    ' : '  WRONG '}${what}: ${JSON.stringify(actual)}${holds ? '' : `, expected ${JSON.stringify(wanted)}`}`,
    )
    if (!holds) failures.push(what)
  }
  try {
    const orders = store.forTenant(tenant)
    write('A worker is killed while a request of it is on the wire')
    // the only endpoint so far: nothing else is under way when the worker dies
    const crash = await makeEndpoint(webhooks, receiver, '/crash', ['order.shipped'], 0)
    receiver.script.set('/crash order.shipped', ['never'])
    await orders.append('order-0', [{ type: 'order.shipped', data: { carrier: 'post' } }])
    await crashAt(url, () => receiver.next('/crash'))

    write('Two workers take over: the receiver answers 500, 500, 200, and once not at all')
    const ids = { ...(await makeEndpoints(webhooks, receiver)), crash }
    await append(orders)
    const [one, two] = [all.run(), createWebhooks(store, settings)]
    const second = two.run()
    await one.caughtUp()
    await until(async () => (await pending(webhooks)) === 0)

    const seen = (path: string) => receiver.seen.filter((each) => each.path === path)
    expect('forged requests', receiver.forged, 0)
    expect('events for order.*', new Set(seen('/orders').map(({ eventId }) => eventId)).size, 9)
    expect('events for *', new Set(seen('/all').map(({ eventId }) => eventId)).size, 14)
    const messages = seen('/all').map(({ messageId }) => messageId)
    expect(
      'ids of the same event differ',
      new Set(messages).size,
      new Set(seen('/all').map(({ eventId }) => eventId)).size,
    )
    const dead = await webhooks.deliveries.deadLetters({ endpointId: ids.payments })
    expect('dead letters of the endpoint that fails', dead.length, 3)

    write('It is mended, and its part of the log is replayed')
    receiver.script.clear()
    const positions = dead.map(({ position }) => position)
    const range = { from: Math.min(...positions), to: Math.max(...positions) }
    const replayed = await webhooks.deliveries.replay({ endpointId: ids.payments, ...range })
    expect('replayed', replayed, { generation: 1, jobs: 3 })
    await until(async () => (await pending(webhooks)) === 0)
    for (const [name, endpointId] of Object.entries(ids)) {
      const { missing, undelivered } = await webhooks.reconcile({ endpointId })
      expect(`events that ${name} was not given`, [missing.length, undelivered.length], [0, 0])
    }
    await Promise.all([one.stop(), second.stop()])
    await two.close()

    const delivered = await deliveredJobs(webhooks)
    printDeliveries(write, delivered)
    const attempts = (path: string, type: string) =>
      delivered
        .filter((each) => each.path === path && each.job.eventType === type)
        .map(({ deliveries }) => deliveries.map(({ statusCode }) => statusCode ?? null))
        .find((codes) => codes.length > 1)
    write('')
    expect('500, 500, 200', attempts('/retried', 'orders.counted'), [500, 500, 204])
    expect('a timeout, and then 200', attempts('/retried', 'order'), [null, 204])
    expect('a crash, and then 200', attempts('/crash', 'order.shipped'), [null, 204])
    const stats = await webhooks.stats()
    printStats(write, stats)
    write('')
    const payments = stats.find(({ endpointId }) => endpointId === ids.payments)
    // three events, twice; one job counts once, however many attempts it took
    expect('jobs of /payments', payments?.jobs.total, 6)
    expect('attempts of /payments', payments?.deliveries, { total: 9, successful: 3, failed: 6 })
    for (const endpointId of Object.values(ids)) await webhooks.endpoints.delete(endpointId)
    return failures.length === 0
  } finally {
    await all.close()
    await receiver.close()
  }
}

async function makeEndpoint(
  webhooks: Webhooks,
  receiver: Receiver,
  path: string,
  events: string[],
  maxRetries: number,
): Promise<string> {
  const { endpoint, secret } = await webhooks.endpoints.create({
    url: receiver.url + path,
    events,
    maxRetries,
    retry: { kind: 'fixed', delayMs: 20 },
  })
  receiver.secrets.set(path, secret)
  return endpoint.id
}

async function makeEndpoints(webhooks: Webhooks, receiver: Receiver) {
  receiver.script.set('/retried orders.counted', [500, 500])
  receiver.script.set('/retried order', ['never'])
  receiver.script.set('/payments payment.made', [500, 500, 500, 500, 500, 500])
  return {
    orders: await makeEndpoint(webhooks, receiver, '/orders', ['order.*'], 5),
    all: await makeEndpoint(webhooks, receiver, '/all', ['*'], 5),
    retried: await makeEndpoint(webhooks, receiver, '/retried', ['orders.counted', 'order'], 5),
    payments: await makeEndpoint(webhooks, receiver, '/payments', ['payment.*'], 1),
  }
}

async function append(store: EventStore): Promise<void> {
  for (const { streamId, ...event } of readInput()) await store.append(streamId, [event])
}

async function pending(webhooks: Webhooks): Promise<number> {
  const stats = await webhooks.stats()
  return stats.reduce((sum, { jobs }) => sum + jobs.pending + jobs.processing, 0)
}

async function deliveredJobs(webhooks: Webhooks): Promise<Delivered[]> {
  const paths = new Map((await webhooks.endpoints.list()).map(({ id, url }) => [id, new URL(url).pathname]))
  const jobs = await webhooks.deliveries.list({ limit: 1_000 })
  const found = await Promise.all(
    jobs.map(async (job) => ({
      job,
      deliveries: (await webhooks.deliveries.get(job.id))?.deliveries ?? [],
      path: paths.get(job.endpointId) ?? '',
    })),
  )
  return found.toSorted((a, b) => a.job.position - b.job.position || a.path.localeCompare(b.path))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
