import type { NewEvent } from '@varve/core'
import type { PartitionedEventStore } from '@varve/postgres-partitioned'

/**
 * Appends now, and then moves what was appended into a month of the past. `recordedAt` is the database's clock and nobody
 * else's; only maintenance, which may do anything, can make up a history. A real log grows into its months by itself.
 */
export async function appendInMonth(
  store: PartitionedEventStore,
  schema: string,
  month: string,
  writes: ReadonlyMap<string, readonly NewEvent[]>,
): Promise<void> {
  await store.partitions.create(month)
  const before = await store.lastPosition()
  for (const [streamId, events] of writes) await store.append(streamId, events, { streamType: 'meter' })
  await store.maintenance(async ({ client }) => {
    await client.query(
      `update "${schema}".events set created_at = $1::timestamptz + interval '9 days' + position * interval '1 ms' ` +
        'where position > $2',
      [`${month}-01T00:00:00Z`, before],
    )
    await client.query(
      `update "${schema}".event_streams head set created_at = e.first, updated_at = e.last from (` +
        `select tenant_id, stream_id, min(created_at) as first, max(created_at) as last from "${schema}".events ` +
        'group by tenant_id, stream_id) e where e.tenant_id = head.tenant_id and e.stream_id = head.stream_id',
    )
  })
}
