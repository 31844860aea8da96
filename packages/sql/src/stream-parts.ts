import type { RecordedEvent, StreamInfo } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import type { LogParts } from './log-parts.js'
import type { ReadAccess } from './read-access.js'
import type { StreamPage, StreamPages, StreamPart } from './read-stream.js'
import { eventDecoder } from './rows.js'
import { headReader } from './streams.js'

/**
 * Streams of a log that is kept in parts. The head is read first: its times lead to the parts that can hold the stream, and
 * its version tells when something is missing, which retention may have taken out.
 */
export function partedStream(
  dialect: ReadDialect,
  parts: LogParts,
): (tenantId: string, streamId: string) => StreamPages {
  const decode = eventDecoder(dialect.decode)
  const readHead = headReader(dialect)
  const from =
    `from ${dialect.table('events')} where tenant_id = $1 and stream_id = $2 and version >= $3 and version <= $4 ` +
    'and created_at >= $5 and created_at < $6'
  const select = {
    forwards: `select ${dialect.eventColumns} ${from} order by version limit $7`,
    backwards: `select ${dialect.eventColumns} ${from} order by version desc limit $7`,
  }
  const counting = `select count(*) ${from}`

  return (tenantId, streamId) => {
    const bounds = (low: number, high: number, first: Date, last: Date) => {
      // times of events have more digits than a Date
      const beyond = new Date(last.getTime() + 1)
      return [tenantId, streamId, low, high, dialect.filter.time(first), dialect.filter.time(beyond)]
    }
    const describe = (low: number, high: number): string =>
      low === high
        ? `Version ${low} of stream '${streamId}'`
        : `Versions ${low} to ${high} of stream '${streamId}'`

    /** The page up to the first event that is missing, and why it is. */
    async function complete(
      { query }: ReadAccess,
      events: readonly RecordedEvent[],
      head: StreamInfo,
      { low, high, direction, limit, previous }: StreamPage,
    ): Promise<StreamPart> {
      const forwards = direction === 'forwards'
      const step = forwards ? 1 : -1
      const [begin, end] = forwards ? [low, high] : [high, low]
      const wanted = Math.min(limit, high - low + 1)
      for (let index = 0; index < wanted; index++) {
        const event = events[index]
        if (event?.version === begin + index * step) continue
        const before = index === 0 ? previous : events[index - 1]
        const [earlier, later] = forwards ? [before, event] : [event, before]
        const until = event === undefined ? end : event.version - step
        const missing = describe(Math.min(begin + index * step, until), Math.max(begin + index * step, until))
        const gone = await parts.gone(
          query,
          earlier?.recordedAt ?? head.createdAt,
          later?.recordedAt ?? head.updatedAt,
          missing,
        )
        // what was not taken out is damage, which verify() reports
        return gone === undefined ? { events } : { events: events.slice(0, index), gone }
      }
      return { events }
    }

    return {
      async page(access, page) {
        const head = await readHead(access.query, tenantId, streamId)
        if (head === undefined || head.version < page.low) return { events: [] }
        const asked = { ...page, high: Math.min(page.high, head.version) }
        const { low, high, direction, limit, previous } = asked
        const params =
          direction === 'forwards'
            ? bounds(low, high, previous?.recordedAt ?? head.createdAt, head.updatedAt)
            : bounds(low, high, head.createdAt, previous?.recordedAt ?? head.updatedAt)
        const events = await access.query(select[direction], [...params, limit], decode)
        return complete(access, events, head, asked)
      },
      async count({ query }, low, high) {
        const head = await readHead(query, tenantId, streamId)
        if (head === undefined || head.version < low) return 0
        const last = Math.min(high, head.version)
        const [row] = await query(counting, bounds(low, last, head.createdAt, head.updatedAt))
        const count = dialect.decode.number(row?.[0])
        if (count < last - low + 1) {
          const gone = await parts.gone(
            query,
            head.createdAt,
            head.updatedAt,
            `Some of ${describe(low, last)}`,
          )
          if (gone !== undefined) throw gone
        }
        return count
      },
    }
  }
}
