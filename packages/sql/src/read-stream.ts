import type { RecordedEvent } from '@varve/core'
import { resolveReadStream } from '@varve/core'
import type { ReadStreamOptions, EventRead } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import { PagedRead, PageSize } from './event-read.js'
import type { ReadSource } from './event-read.js'
import type { ReadAccess } from './read-access.js'
import { eventDecoder } from './rows.js'

/** Makes reads of single streams. */
export function streamReader(
  dialect: ReadDialect,
): (access: ReadAccess, tenantId: string, streamId: string, options?: ReadStreamOptions) => EventRead {
  const decode = eventDecoder(dialect.decode)
  const from = `from ${dialect.table('events')} where tenant_id = $1 and stream_id = $2 and version >= $3 and version <= $4`
  const forwards = `select ${dialect.eventColumns} ${from} order by version limit $5`
  const backwards = `select ${dialect.eventColumns} ${from} order by version desc limit $5`
  const counting = `select count(*) ${from}`

  return (outer, tenantId, streamId, options) => {
    const range = resolveReadStream(options)
    const page = (
      { query }: ReadAccess,
      low: number,
      high: number,
      direction: string,
      limit: number,
    ): Promise<RecordedEvent[]> =>
      low > high || limit <= 0
        ? Promise.resolve([])
        : query(
            direction === 'forwards' ? forwards : backwards,
            [tenantId, streamId, low, high, limit],
            decode,
          )

    async function* pages(access: ReadAccess): AsyncGenerator<readonly RecordedEvent[], undefined> {
      let { fromVersion: low, toVersion: high, limit } = range
      for (const size = new PageSize(); ;) {
        const asked = size.within(limit)
        const events = await page(access, low, high, range.direction, asked)
        const last = events.at(-1)
        if (last !== undefined) yield events
        if (last === undefined || events.length < asked) return
        limit -= events.length
        if (range.direction === 'forwards') low = last.version + 1
        else high = last.version - 1
        size.next(events.length, bytesOf(events))
      }
    }

    async function count({ query }: ReadAccess): Promise<number> {
      if (range.fromVersion > range.toVersion || range.limit === 0) return 0
      const [row] = await query(counting, [tenantId, streamId, range.fromVersion, range.toVersion])
      return Math.min(dialect.decode.number(row?.[0]), range.limit)
    }

    const opposite = range.direction === 'forwards' ? 'backwards' : 'forwards'
    const { fromVersion, toVersion, direction, limit } = range
    const source: ReadSource<RecordedEvent> = {
      pages,
      count,
      first: async (access) => (await page(access, fromVersion, toVersion, direction, Math.min(1, limit)))[0],
      last: async (access) =>
        limit < Number.MAX_SAFE_INTEGER
          ? lastOf(pages(access))
          : (await page(access, fromVersion, toVersion, opposite, 1))[0],
    }
    return new PagedRead(source, outer)
  }
}

export function bytesOf(events: readonly RecordedEvent[]): number {
  let bytes = 0
  for (const event of events) bytes += event.sizeBytes
  return bytes
}

export async function lastOf<T>(pages: AsyncIterator<readonly T[]>): Promise<T | undefined> {
  let last: T | undefined
  for (let page = await pages.next(); page.done !== true; page = await pages.next())
    last = page.value.at(-1) ?? last
  return last
}
