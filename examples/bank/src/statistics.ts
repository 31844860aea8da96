import type { EventStore, StoreStatistics } from '@varve/core'
import { table, type Write } from './report.ts'

/** Names and numbers that are the same on every database. */
export interface PlainStatistics {
  readonly events: number
  readonly streams: number
  readonly bytes: number
  readonly types: Readonly<Record<string, number>>
}

export async function showStatistics(store: EventStore, write: Write): Promise<PlainStatistics> {
  const statistics = await store.statistics()
  const { events, streams, bytes } = statistics
  write(`  ${events} events in ${streams} streams, ${bytes} bytes of data`)
  const byCount = statistics.eventTypes.toSorted(
    (a, b) => b.count - a.count || (a.eventType < b.eventType ? -1 : 1),
  )
  table(
    write,
    byCount.map(({ eventType, count }) => ({
      'event type': eventType,
      count,
      share: `${((100 * count) / events).toFixed(1)}%`,
    })),
  )
  table(
    write,
    statistics.streamTypes.map(({ streamType, streams: number, averageVersion, maxVersion }) => ({
      'stream type': streamType,
      streams: number,
      'average version': averageVersion.toFixed(1),
      'highest version': maxVersion,
    })),
  )
  return { events, streams, bytes, types: countsOf(statistics) }
}

function countsOf({ eventTypes }: StoreStatistics): Record<string, number> {
  return Object.fromEntries(
    eventTypes
      .map(({ eventType, count }): [string, number] => [eventType, count])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
