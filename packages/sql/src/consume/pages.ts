import type { RecordedEvent } from '@varve/core'
import type { Query } from '../read-access.js'
import type { LogReader } from '../read-all.js'
import { bytesOf } from '../read-stream.js'

/** A filter that finds little is not given the whole log to search in one statement. */
const WINDOW = 100_000
/** Of data, held in memory at a time. */
const MAX_BYTES = 8 * 1024 * 1024

type Filter = Parameters<LogReader['take']>[2]

export interface LogPage {
  readonly events: readonly RecordedEvent[]
  /** Everything of the filter up to here is among the events, or came before. */
  readonly upTo: number
}

/** Reads the settled part of the log in the order of positions. Looks at a stretch of it at a time. */
export class LogPages {
  readonly #query: Query
  readonly #log: LogReader
  readonly #tenantId: string | undefined
  readonly #filter: Filter
  readonly #size: number
  #fitting: number

  constructor(query: Query, log: LogReader, tenantId: string | undefined, filter: Filter, size: number) {
    this.#query = query
    this.#log = log
    this.#tenantId = tenantId
    this.#filter = filter
    this.#size = size
    this.#fitting = Math.min(size, 200)
  }

  /** The events behind `after`, as far as `settled`. */
  async next(after: number, settled: number): Promise<LogPage> {
    const range = { after, until: Math.min(settled, after + WINDOW) }
    const page = await this.#log.take(this.#query, this.#tenantId, this.#filter, range, this.#fitting)
    const { events } = page
    if (events.length > 0) {
      const each = Math.max(1, bytesOf(events) / events.length)
      this.#fitting = Math.max(1, Math.min(this.#size, Math.floor(MAX_BYTES / each)))
    }
    return page
  }
}
