import { resolveReadAll, StoreUnavailableError } from '@varve/core'
import type { EventRead, ReadAllOptions, RecordedEvent } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import { PagedRead, PageSize } from './event-read.js'
import type { ReadSource } from './event-read.js'
import { onePart } from './log-parts.js'
import type { LogParts, LogStretch } from './log-parts.js'
import { bytesOf, lastOf } from './read-stream.js'
import type { Query, ReadAccess } from './read-access.js'
import { eventDecoder } from './rows.js'
import { binder, conditions, matchesNothing } from './where.js'

type Resolved = ReturnType<typeof resolveReadAll>

/** What the reads of the log need of a store. */
export interface LogReaderContext {
  readonly dialect: ReadDialect
  readonly access: ReadAccess
}

/** Reads of the whole log, of one tenant or (`undefined`) of all. */
export class LogReader {
  readonly #context: LogReaderContext
  readonly #decode: ReturnType<typeof eventDecoder>
  readonly #events: string
  readonly #parts: LogParts

  constructor(context: LogReaderContext) {
    this.#context = context
    this.#parts = context.dialect.parts ?? onePart
    this.#decode = eventDecoder(context.dialect.decode)
    this.#events = context.dialect.table('events')
  }

  read(tenantId: string | undefined, options?: ReadAllOptions): EventRead {
    const range = resolveReadAll(options)
    const source: ReadSource<RecordedEvent> = {
      pages: (access) => this.#pages(access, tenantId, range),
      first: async (access) => {
        const page = await this.#pages(access, tenantId, { ...range, limit: Math.min(1, range.limit) }).next()
        return page.done === true ? undefined : page.value[0]
      },
      last: async (access) => {
        if (range.limit < Number.MAX_SAFE_INTEGER) return lastOf(this.#pages(access, tenantId, range))
        const until = await this.#settledEnd(access, range)
        const flipped = { ...range, direction: flip(range.direction) }
        const page = await this.#range(access, tenantId, flipped, range.after, until, 1).next()
        return page.done === true ? undefined : page.value[0]
      },
      count: (access) => this.#count(access, tenantId, range),
    }
    return new PagedRead(source, this.#context.access)
  }

  /** At most `limit` events with `after` < position <= `until`, and how far the log has been read by that. */
  async take(
    query: Query,
    tenantId: string | undefined,
    filter: Resolved,
    range: { readonly after: number; readonly until: number },
    limit: number,
  ): Promise<{ events: RecordedEvent[]; upTo: number }> {
    if (matchesNothing(filter)) return { events: [], upTo: range.until }
    for (;;) {
      const stretch = await this.#parts.stretch({ ...range, direction: 'forwards' })
      if (stretch.gone !== undefined) throw stretch.gone
      const events = await this.#page({ query }, tenantId, filter, stretch, limit)
      const last = events.at(-1)
      if (last === undefined && (await this.#parts.changed(stretch))) continue
      return { events, upTo: last === undefined || events.length < limit ? stretch.until : last.position }
    }
  }

  /** The event at a position; undefined when there is none, or none any more. */
  async at(query: Query, position: number): Promise<RecordedEvent | undefined> {
    const range = { after: position - 1, until: position }
    const stretch = await this.#parts.stretch({ ...range, direction: 'forwards' })
    if (stretch.gone !== undefined) return undefined
    return (await this.#page({ query }, undefined, resolveReadAll(), stretch, 1))[0]
  }

  /** Events of the filter in a stretch of the log, in the direction of the filter. */
  #page(
    { query }: Pick<ReadAccess, 'query'>,
    tenantId: string | undefined,
    filter: Resolved,
    stretch: LogStretch,
    limit: number,
  ): Promise<RecordedEvent[]> {
    const { from, position, where, params, bind } = this.#where(tenantId, filter, stretch)
    const order = filter.direction === 'forwards' ? position : `${position} desc`
    const text = `select ${this.#context.dialect.eventColumns} from ${from} where ${where} order by ${order} limit ${bind(limit)}`
    return query(text, params, this.#decode)
  }

  #where(tenantId: string | undefined, filter: Resolved, stretch: LogStretch) {
    const { params, bind } = binder()
    const statements = this.#context.dialect.filter
    const [tag, ...tags] = filter.tags ?? []
    const tagged =
      tag === undefined || tenantId === undefined ? undefined : statements.tagged?.(tag, tenantId, bind)
    const { from, position } = tagged ?? { from: this.#events, position: 'position' }
    const where = [`${position} > ${bind(stretch.after)}`, `${position} <= ${bind(stretch.until)}`]
    const part = stretch.where(bind)
    if (part !== '') where.push(part)
    if (tenantId !== undefined) where.push(`tenant_id = ${bind(tenantId)}`)
    where.push(...conditions(tagged === undefined ? filter : { ...filter, tags }, bind, statements))
    return { from, position, where: where.join(' and '), params, bind }
  }

  async *#pages(
    access: ReadAccess,
    tenantId: string | undefined,
    range: Resolved,
  ): AsyncGenerator<readonly RecordedEvent[], undefined> {
    if (range.limit === 0 || matchesNothing(range)) return
    if (range.direction === 'backwards' || !range.settled) {
      yield* this.#range(access, tenantId, range, range.after, range.until, range.limit)
      return
    }
    const source = this.#context.dialect.settled
    let state = await access.run(() => source.look())
    const end = Math.min(state.high, range.until)
    let { after, limit } = range
    for (;;) {
      const until = Math.min(state.settled, end)
      for await (const page of this.#range(access, tenantId, range, after, until, limit)) {
        limit -= page.length
        yield page
      }
      after = Math.max(after, until)
      if (after >= end || limit <= 0) return
      state = await access.run(() => source.beyond(after, range.waitForSettledMs))
      if (state.settled <= after) throw unsettled(range, after, state)
    }
  }

  async *#range(
    access: ReadAccess,
    tenantId: string | undefined,
    range: Resolved,
    after: number,
    until: number,
    limit: number,
  ): AsyncGenerator<readonly RecordedEvent[], undefined> {
    if (matchesNothing(range)) return
    const size = new PageSize()
    while (after < until && limit > 0) {
      const from = after
      const to = until
      const stretch = await access.run(() =>
        this.#parts.stretch({ after: from, until: to, direction: range.direction }),
      )
      if (stretch.gone !== undefined) throw stretch.gone
      const asked = size.within(limit)
      const events = await this.#page(access, tenantId, range, stretch, asked)
      const last = events.at(-1)
      if (last === undefined && (await access.run(() => this.#parts.changed(stretch)))) continue
      if (last !== undefined) yield events
      limit -= events.length
      const exhausted = last === undefined || events.length < asked
      if (range.direction === 'forwards') after = exhausted ? stretch.until : last.position
      else until = exhausted ? stretch.after : last.position - 1
      size.next(events.length, bytesOf(events))
    }
  }

  /** The end of a read that begins now, once everything up to it is settled. */
  async #settledEnd(access: ReadAccess, range: Resolved): Promise<number> {
    if (range.direction === 'backwards' || !range.settled) return range.until
    const source = this.#context.dialect.settled
    let state = await access.run(() => source.look())
    const end = Math.min(state.high, range.until)
    while (state.settled < end) {
      const known = state.settled
      state = await access.run(() => source.beyond(known, range.waitForSettledMs))
      if (state.settled <= known) throw unsettled(range, known, state)
    }
    return end
  }

  async #count(access: ReadAccess, tenantId: string | undefined, range: Resolved): Promise<number> {
    if (range.limit === 0 || matchesNothing(range)) return 0
    const until = await this.#settledEnd(access, range)
    if (range.after >= until) return 0
    for (;;) {
      const stretch = await access.run(() => this.#parts.whole(range.after, until))
      if (stretch.gone !== undefined) throw stretch.gone
      const { from, where, params } = this.#where(tenantId, range, stretch)
      const [row] = await access.query(`select count(*) from ${from} where ${where}`, params)
      const count = this.#context.dialect.decode.number(row?.[0])
      if (count > 0 || !(await access.run(() => this.#parts.changed(stretch))))
        return Math.min(count, range.limit)
    }
  }
}

function flip(direction: Resolved['direction']): Resolved['direction'] {
  return direction === 'forwards' ? 'backwards' : 'forwards'
}

function unsettled(
  range: Resolved,
  position: number,
  state: { blocker?: { detail: string } },
): StoreUnavailableError {
  const who = state.blocker === undefined ? '' : `; in the way: ${state.blocker.detail}`
  return new StoreUnavailableError(
    `The log is not settled beyond position ${position} after ${range.waitForSettledMs} ms: an append under way may still ` +
      `appear there${who}. End that transaction, wait longer (waitForSettledMs), or read with settled: false.`,
    { blocker: state.blocker },
  )
}
