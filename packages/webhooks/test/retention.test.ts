import type { PartitionedEventStore } from '@varve/postgres-partitioned'
import { sqlOf } from '@varve/sql'
import { expect, test } from 'vitest'
import { fixture, isEvery } from './support/fixture.js'
import { status } from './support/receiver.js'
import { useEngine } from './support/use-engine.js'

const engine = useEngine('postgres, partitioned')
const month = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 3))
  .toISOString()
  .slice(0, 7)
const partition = `events_${month.replace('-', '_')}`

test('a month is kept until what webhooks owe of its events is delivered', async () => {
  const { opened, webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
  const store = opened.store as PartitionedEventStore
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
  await store.partitions.create(month)
  await append(2)
  const events = sqlOf(store).dialect.table('events')
  await store.maintenance(({ client }) =>
    client.query(`update ${events} set created_at = '${month}-02T00:00:00Z'`),
  )
  await store.archiveStream('order-1')
  await store.partitions.ensure()
  const drop = (): Promise<readonly string[]> => store.partitions.drop(partition)

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
