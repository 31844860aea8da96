import type { RecordedEvent } from '@varve/core'
import { resolveReadStream } from '@varve/core'
import type { ReadStreamOptions, EventRead } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import type { SqlRow, SqlValue } from './driver.js'
import { PagedRead, PageSize } from './event-read.js'
import { eventDecoder } from './rows.js'

/** One statement, wherever it runs: in a transaction or on any connection. */
export type Query = <T = SqlRow>(text: string, params?: readonly SqlValue[], map?: (row: SqlRow) => T) => Promise<T[]>

/** Makes reads of single streams. */
export function streamReader(
  dialect: ReadDialect,
): (query: Query, tenantId: string, streamId: string, options?: ReadStreamOptions) => EventRead {
  const decode = eventDecoder(dialect.decode)
  const from = `from ${dialect.table('events')} where tenant_id = $1 and stream_id = $2 and version >= $3 and version <= $4`
  const forwards = `select ${dialect.eventColumns} ${from} order by version limit $5`
  const backwards = `select ${dialect.eventColumns} ${from} order by version desc limit $5`
  const counting = `select count(*) ${from}`

  return (query, tenantId, streamId, options) => {
    const range = resolveReadStream(options)
    const page = (low: number, high: number, direction: string, limit: number): Promise<RecordedEvent[]> =>
      low > high || limit <= 0
        ? Promise.resolve([])
        : query(direction === 'forwards' ? forwards : backwards, [tenantId, streamId, low, high, limit], decode)

    async function* pages(): AsyncGenerator<readonly RecordedEvent[], undefined> {
      let { fromVersion: low, toVersion: high, limit } = range
      for (const size = new PageSize(); ;) {
        const asked = size.within(limit)
        const events = await page(low, high, range.direction, asked)
        const last = events.at(-1)
        if (last !== undefined) yield events
        if (last === undefined || events.length < asked) return
        limit -= events.length
        if (range.direction === 'forwards') low = last.version + 1
        else high = last.version - 1
        size.next(events.length, bytesOf(events))
      }
    }

    async function count(): Promise<number> {
      if (range.fromVersion > range.toVersion || range.limit === 0) return 0
      const [row] = await query(counting, [tenantId, streamId, range.fromVersion, range.toVersion])
      return Math.min(dialect.decode.number(row?.[0]), range.limit)
    }

    const opposite = range.direction === 'forwards' ? 'backwards' : 'forwards'
    return new PagedRead({
      pages,
      count,
      first: async () => (await page(range.fromVersion, range.toVersion, range.direction, Math.min(1, range.limit)))[0],
      last: async () => {
        const limited = range.limit < Number.MAX_SAFE_INTEGER
        if (!limited) return (await page(range.fromVersion, range.toVersion, opposite, 1))[0]
        return lastOf(pages())
      },
    })
  }
}

export function bytesOf(events: readonly RecordedEvent[]): number {
  let bytes = 0
  for (const event of events) bytes += event.sizeBytes
  return bytes
}

export async function lastOf<T>(pages: AsyncIterator<readonly T[]>): Promise<T | undefined> {
  let last: T | undefined
  for (let page = await pages.next(); page.done !== true; page = await pages.next()) last = page.value.at(-1) ?? last
  return last
}
