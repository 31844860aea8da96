import type { RecordedEvent, ResolvedReadStream } from '@varve/core'
import { resolveReadStream } from '@varve/core'
import type { ReadStreamOptions, EventRead } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import { PagedRead, PageSize } from './event-read.js'
import type { ReadSource } from './event-read.js'
import type { ReadAccess } from './read-access.js'
import { eventDecoder } from './rows.js'
import { partedStream } from './stream-parts.js'

/** How pages of one stream are fetched. */
export interface StreamPages {
  page(access: ReadAccess, range: StreamPage): Promise<StreamPart>
  count(access: ReadAccess, low: number, high: number): Promise<number>
}

/** At most `limit` events with `low` <= version <= `high`; at least one. */
export interface StreamPage {
  readonly low: number
  readonly high: number
  readonly direction: ResolvedReadStream['direction']
  readonly limit: number
  /** The last event of the page before this one. */
  readonly previous: RecordedEvent | undefined
}

export interface StreamPart {
  readonly events: readonly RecordedEvent[]
  /** Why the next one is missing, when it was taken out of the log. */
  readonly gone?: Error
}

/** Makes reads of single streams. */
export function streamReader(
  dialect: ReadDialect,
): (access: ReadAccess, tenantId: string, streamId: string, options?: ReadStreamOptions) => EventRead {
  const stream = dialect.parts === undefined ? wholeStream(dialect) : partedStream(dialect, dialect.parts)

  return (outer, tenantId, streamId, options) => {
    const given = resolveReadStream(options)
    const fetch = stream(tenantId, streamId)

    async function* pages(
      access: ReadAccess,
      range: ResolvedReadStream,
    ): AsyncGenerator<readonly RecordedEvent[], undefined> {
      let { fromVersion: low, toVersion: high, limit } = range
      const { direction } = range
      const size = new PageSize()
      let previous: RecordedEvent | undefined
      while (low <= high && limit > 0) {
        const asked = size.within(limit)
        const { events, gone } = await fetch.page(access, { low, high, direction, limit: asked, previous })
        const last = events.at(-1)
        if (last !== undefined) yield events
        if (gone !== undefined) throw gone
        if (last === undefined || events.length < asked) return
        limit -= events.length
        if (direction === 'forwards') low = last.version + 1
        else high = last.version - 1
        previous = last
        size.next(events.length, bytesOf(events))
      }
    }

    async function firstOf(
      access: ReadAccess,
      range: ResolvedReadStream,
    ): Promise<RecordedEvent | undefined> {
      const page = await pages(access, { ...range, limit: Math.min(1, range.limit) }).next()
      return page.done === true ? undefined : page.value[0]
    }

    const source: ReadSource<RecordedEvent> = {
      pages: (access) => pages(access, given),
      first: (access) => firstOf(access, given),
      last: (access) => {
        if (given.limit < Number.MAX_SAFE_INTEGER) return lastOf(pages(access, given))
        return firstOf(access, {
          ...given,
          direction: given.direction === 'forwards' ? 'backwards' : 'forwards',
        })
      },
      count: async (access) => {
        if (given.fromVersion > given.toVersion || given.limit === 0) return 0
        return Math.min(await fetch.count(access, given.fromVersion, given.toVersion), given.limit)
      },
    }
    return new PagedRead(source, outer)
  }
}

function wholeStream(dialect: ReadDialect): (tenantId: string, streamId: string) => StreamPages {
  const decode = eventDecoder(dialect.decode)
  const from = `from ${dialect.table('events')} where tenant_id = $1 and stream_id = $2 and version >= $3 and version <= $4`
  const select = {
    forwards: `select ${dialect.eventColumns} ${from} order by version limit $5`,
    backwards: `select ${dialect.eventColumns} ${from} order by version desc limit $5`,
  }
  const counting = `select count(*) ${from}`
  return (tenantId, streamId) => ({
    async page({ query }, { low, high, direction, limit }) {
      return { events: await query(select[direction], [tenantId, streamId, low, high, limit], decode) }
    },
    async count({ query }, low, high) {
      const [row] = await query(counting, [tenantId, streamId, low, high])
      return dialect.decode.number(row?.[0])
    },
  })
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
