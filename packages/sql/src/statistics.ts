import type { StoreStatistics } from '@varve/core'
import type { Decoder, Dialect } from './dialect.js'
import type { SqlDriver, SqlRow } from './driver.js'
import { binder } from './where.js'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type EventType = Mutable<StoreStatistics['eventTypes'][number]>

/** One line of the statement: what there is of one event type in one stream type, or of one stream type's streams. */
interface Line {
  readonly streamType: string
  /** Absent for a line about streams. */
  readonly eventType: string | undefined
  readonly count: number
  /** Of the sizes in bytes; of the versions for a line about streams. */
  readonly sum: number
  /** The highest position; the highest version for a line about streams. */
  readonly max: number
  readonly firstAt: unknown
  readonly lastAt: unknown
}

/** Counts the log of one tenant, or (`undefined`) of all. One statement, so that its parts agree while others append. */
export function statistics(
  driver: SqlDriver,
  dialect: Dialect,
  tenantId: string | undefined,
): Promise<StoreStatistics> {
  const { params, bind } = binder()
  const tenant = (): string => (tenantId === undefined ? '' : ` and tenant_id = ${bind(tenantId)}`)
  const text =
    'select stream_type, event_type, count(*), sum(event_size_bytes), max(position), ' +
    `${dialect.time('min(created_at)')}, ${dialect.time('max(created_at)')} ` +
    `from ${dialect.table('events')} where 1 = 1${tenant()} group by stream_type, event_type ` +
    'union all ' +
    'select stream_type, null, count(*), sum(version), max(version), null, null ' +
    `from ${dialect.table('event_streams')} where version > 0${tenant()} group by stream_type`
  return dialect.patiently(driver, async (session) => {
    const lines = await session.query(text, params, (row): Line => lineOf(row, dialect.decode))
    return summarise(lines, dialect.decode)
  })
}

function lineOf(row: SqlRow, decode: Decoder): Line {
  return {
    streamType: row[0] as string,
    eventType: row[1] === null ? undefined : (row[1] as string),
    count: decode.number(row[2]),
    sum: decode.number(row[3]),
    max: decode.number(row[4]),
    firstAt: row[5],
    lastAt: row[6],
  }
}

function summarise(lines: readonly Line[], decode: Decoder): StoreStatistics {
  const eventTypes = new Map<string, EventType>()
  const eventsOf = new Map<string, number>()
  let [events, lastPosition, bytes] = [0, 0, 0]
  for (const { streamType, eventType, count, sum, max, firstAt, lastAt } of lines) {
    if (eventType === undefined) continue
    events += count
    bytes += sum
    lastPosition = Math.max(lastPosition, max)
    eventsOf.set(streamType, (eventsOf.get(streamType) ?? 0) + count)
    const line = { eventType, count, firstAt: decode.time(firstAt), lastAt: decode.time(lastAt) }
    eventTypes.set(eventType, merge(eventTypes.get(eventType), line))
  }
  const streamTypes = lines.flatMap(({ streamType, eventType, count, sum, max }) =>
    eventType === undefined
      ? [
          {
            streamType,
            streams: count,
            events: eventsOf.get(streamType) ?? 0,
            averageVersion: sum / count,
            maxVersion: max,
          },
        ]
      : [],
  )
  return {
    events,
    streams: streamTypes.reduce((total, { streams }) => total + streams, 0),
    lastPosition,
    eventTypes: [...eventTypes.values()].toSorted((a, b) => order(a.eventType, b.eventType)),
    streamTypes: streamTypes.toSorted((a, b) => order(a.streamType, b.streamType)),
    bytes,
  }
}

/** The same event type may occur in streams of several types. */
function merge(known: EventType | undefined, line: EventType): EventType {
  if (known === undefined) return line
  known.count += line.count
  if (line.firstAt < known.firstAt) known.firstAt = line.firstAt
  if (line.lastAt > known.lastAt) known.lastAt = line.lastAt
  return known
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
