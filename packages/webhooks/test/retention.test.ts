import type { PartitionedEventStore } from '@varve/postgres-partitioned'
import { sqlOf } from '@varve/sql'
import { expect, test } from 'vitest'
import { fixture, isEvery } from './support/fixture.js'
import type { Fixture } from './support/fixture.js'
import { status } from './support/receiver.js'
import { useEngine } from './support/use-engine.js'

const engine = useEngine('postgres, partitioned')
const month = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 3))
  .toISOString()
  .slice(0, 7)
const partition = `events_${month.replace('-', '_')}`

/** Moves all events to a month that is over, which nobody but webhooks needs; resolves to what drops it. */
async function past({ opened }: Fixture): Promise<() => Promise<readonly string[]>> {
  const store = opened.store as PartitionedEventStore
  await store.partitions.create(month)
  const events = sqlOf(store).dialect.table('events')
  await store.maintenance(({ client }) =>
    client.query(`update ${events} set created_at = '${month}-02T00:00:00Z'`),
  )
  await store.archiveStream('order-1')
  await store.partitions.ensure()
  return () => store.partitions.drop(partition)
}

test('a month is kept until what webhooks owe of its events is delivered', async () => {
  const opened = await fixture(engine())
  const { webhooks, receiver, append, jobs, makeDue } = opened
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
  await append(2)
  const drop = await past(opened)

  await expect(drop()).rejects.toThrow(
    `still needed by webhook endpoint ${endpoint.id} (no worker has looked at its events yet)`,
  )
  receiver.answer = status(500)
  await using worker = webhooks.run()
  await jobs((list) => list.length === 2 && list.every(({ attempts }) => attempts > 0))
  await expect(drop()).rejects.toThrow(`webhook endpoint ${endpoint.id} (2 deliveries that were not made)`)
  receiver.answer = status(204)
  await makeDue()
  await jobs(isEvery('completed', 2))
  expect(await drop()).toEqual([partition])
  await worker.stop()
})

test('a month is kept for what an endpoint missed while it was disabled, until it is replayed', async () => {
  const opened = await fixture(engine())
  const { webhooks, receiver, append, jobs } = opened
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
  await webhooks.endpoints.disable(endpoint.id)
  await append(2)
  await using worker = webhooks.run()
  await worker.caughtUp()
  const drop = await past(opened)
  await expect(drop()).rejects.toThrow(
    `webhook endpoint ${endpoint.id} (missed positions 1 to 2 while it was disabled, and they were not replayed)`,
  )
  const { gap } = await webhooks.endpoints.enable(endpoint.id)
  await webhooks.deliveries.replay({ endpointId: endpoint.id, from: gap?.from ?? 0, to: gap?.to ?? 0 })
  await jobs(isEvery('completed', 2))
  expect(await drop()).toEqual([partition])
})

test('a month is not kept for dead letters of an endpoint that was deleted', async () => {
  const opened = await fixture(engine())
  const { webhooks, receiver, append, jobs } = opened
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, maxRetries: 0 })
  receiver.answer = status(500)
  await using worker = webhooks.run()
  await append(1)
  await jobs(isEvery('failed', 1))
  await worker.caughtUp()
  const drop = await past(opened)
  await expect(drop()).rejects.toThrow(`webhook endpoint ${endpoint.id} (1 deliveries that were not made)`)
  await webhooks.endpoints.delete(endpoint.id)
  expect(await drop()).toEqual([partition])
})
