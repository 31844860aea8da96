import type { NewEvent } from '@varve/core'
import type { PartitionedEventStore } from '../src/index.js'
import type { Opened } from './store.js'

/** The month so many months before this one, as `2024-03`. */
export function monthsAgo(months: number): string {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months)).toISOString().slice(0, 7)
}

export const partitionOf = (month: string): string => `events_${month.replace('-', '_')}`

export type Writes = Readonly<Record<string, readonly NewEvent[]>>

/** Appends now, then moves what was appended to a month of the past, through the door that maintenance has. */
export async function inMonth(
  { store, schema }: Pick<Opened, 'schema'> & { store: PartitionedEventStore },
  month: string,
  writes: Writes,
): Promise<void> {
  await store.partitions.create(month)
  const before = await store.allTenants().lastPosition()
  for (const [streamId, events] of Object.entries(writes)) await store.append(streamId, events)
  await store.maintenance(async ({ client }) => {
    await client.query(
      `update ${schema}.events set created_at = $1::timestamptz + interval '1 day' + position * interval '1 ms' where position > $2`,
      [`${month}-01T00:00:00Z`, before],
    )
    await client.query(
      `update ${schema}.event_streams h set created_at = e.first, updated_at = e.last from (` +
        `select tenant_id, stream_id, min(created_at) as first, max(created_at) as last from ${schema}.events group by 1, 2) e ` +
        'where e.tenant_id = h.tenant_id and e.stream_id = h.stream_id',
    )
  })
}

export const some = (count: number, type = 'tested'): NewEvent[] =>
  Array.from({ length: count }, (_, number) => ({ type, data: { number } }))

/** A stream of its own in each of the months, and one that goes on through all; closed but for this month. */
export async function historyOf(opened: Opened, months: number, events = 5): Promise<void> {
  for (let ago = months - 1; ago >= 0; ago--) {
    const month = monthsAgo(ago)
    if (ago === 0) {
      await opened.store.append(`only-${month}`, some(events))
      await opened.store.append('long', some(1))
    } else await inMonth(opened, month, { [`only-${month}`]: some(events), long: some(1) })
  }
  await opened.store.partitions.ensure()
}
