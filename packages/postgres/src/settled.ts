import { sleep, StoreUnavailableError } from '@varve/core'
import type { Blocker } from '@varve/core'
import type { SettledSource, SettledState, SqlDriver } from '@varve/sql'
import { classify } from './classify.js'
import { decode } from './decode.js'
import type { Names } from './names.js'

/** Everything up to `high` is settled once all of these transactions have ended. */
interface Barrier {
  readonly high: number
  readonly writers: Set<string>
}

const MAX_BARRIERS = 64
const NOTE_EVERY_MS = 2_000

/**
 * Positions are handed out before they are committed. Every transaction that inserts holds the write lock of `events` from
 * before its first position until after its commit is visible. So: what is missing at or below a maximum that was seen
 * *before* the holders of that lock were listed belongs to one of them, or is gone for good.
 */
export class SettledPositions implements SettledSource {
  readonly #driver: Pick<SqlDriver, 'query'>
  readonly #look: () => string
  readonly #who: string
  readonly #recall: string
  readonly #note: string
  #barriers: Barrier[] = []
  #settled = 0
  #recalled = false
  /** Of the server and the table: with another one, what was known of the log counts no more. */
  #incarnation: unknown
  #notedAt = -Infinity
  #noted = 0
  #notes = true
  #running: Promise<SettledState> | undefined
  #next: Promise<SettledState> | undefined
  #closed = false

  /** @param high an expression for the greatest visible position, asked for at each look */
  constructor(
    driver: Pick<SqlDriver, 'query'>,
    names: Names,
    high = () => `(select coalesce(max(position), 0) from ${names.events})`,
  ) {
    this.#driver = driver
    const relation = `'${names.events.replaceAll("'", "''")}'::regclass`
    const holders =
      `pg_locks l where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted ` +
      `and l.database = (select oid from pg_database where datname = current_database()) and l.relation = ${relation}`
    const incarnation = `extract(epoch from pg_postmaster_start_time())::text || ' ' || ${relation}::oid::text`
    // the maximum is of the statement's snapshot, which is taken before the locks are looked at
    this.#look = () =>
      `select ${high()}, array(select l.virtualtransaction from ${holders})::text, pg_is_in_recovery(), ${incarnation}`
    this.#who =
      `select l.pid, (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::bigint, a.state, a.application_name ` +
      `from (select * from ${holders}) l left join pg_stat_activity a on a.pid = l.pid ` +
      'order by a.xact_start nulls first limit 1'
    const meta = `${names.schema}."varve_meta"`
    this.#recall = `select value from ${meta} where name = 'settled_position'`
    this.#note = `update ${meta} set value = $1 where name = 'settled_position' and value::bigint < $1::bigint`
  }

  /** A look that began before the call may miss what the caller has seen: it gets the next one, shared by all who wait. */
  look(): Promise<SettledState> {
    // also when the one before has ended just now: an older look that is answered later would strike whom it has not seen
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start()
    this.#next = this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  async beyond(position: number, timeoutMs: number, signal?: AbortSignal): Promise<SettledState> {
    const begun = performance.now()
    for (;;) {
      const state = await this.look()
      const waited = performance.now() - begun
      // not when the store is being closed: that waits for reads, and so for what they wait for
      if (state.settled > position || signal?.aborted === true) return state
      if (waited >= timeoutMs) {
        const blocker = state.settled < state.high ? await this.#blocker() : undefined
        return { settled: state.settled, high: state.high, ...(blocker !== undefined && { blocker }) }
      }
      await sleep(Math.min(timeoutMs - waited, Math.max(1, Math.min(50, waited / 10)))).catch(() => undefined)
    }
  }

  close(): void {
    this.#closed = true
  }

  #start(): Promise<SettledState> {
    this.#next = undefined
    const running = this.#poll().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #poll(): Promise<SettledState> {
    let rows
    try {
      if (!this.#recalled) {
        const [row] = await this.#driver.query(this.#recall)
        this.#settled = Math.max(this.#settled, row === undefined ? 0 : decode.number(row[0]))
        this.#recalled = true
      }
      rows = await this.#driver.query(this.#look())
    } catch (error) {
      // the server may have restarted, and with it the names of its transactions
      this.#barriers = []
      throw error
    }
    const [row] = rows
    if (row?.[2] === 't') {
      throw new StoreUnavailableError(
        'This server is a hot standby, where appends under way cannot be seen. Read from the primary, ' +
          'or with settled: false if skipped events do no harm.',
      )
    }
    if (row?.[3] !== this.#incarnation) {
      if (this.#incarnation !== undefined) {
        this.#forget()
        this.#recalled = false
      }
      this.#incarnation = row?.[3]
    }
    const high = decode.number(row?.[0])
    this.#strike(high, parseWriters(row?.[1] as string))
    this.#remember()
    return { settled: this.#settled, high }
  }

  /** The log may be another one, restored from a backup, in which positions are handed out again. */
  #forget(): void {
    this.#settled = 0
    this.#barriers = []
  }

  #strike(high: number, writers: ReadonlySet<string>): void {
    if (high < this.#settled) this.#forget()
    const prepared = [...writers].some((writer) => writer.startsWith('-1/'))
    const open: Barrier[] = []
    for (const barrier of this.#barriers) {
      for (const writer of barrier.writers) if (!writers.has(writer)) barrier.writers.delete(writer)
      // a prepared transaction bears another name than before: it may be any of those that were waited for
      if (prepared || barrier.writers.size > 0) open.push(barrier)
      else this.#settled = Math.max(this.#settled, barrier.high)
    }
    this.#barriers = open.filter((barrier) => barrier.high > this.#settled)
    if (writers.size === 0) {
      this.#settled = Math.max(this.#settled, high)
      this.#barriers = []
    } else if (high > (this.#barriers.at(-1)?.high ?? this.#settled)) {
      if (this.#barriers.length >= MAX_BARRIERS) this.#barriers.splice(MAX_BARRIERS / 2, 1)
      this.#barriers.push({ high, writers: new Set(writers) })
    }
  }

  /** Of use to others only: who may not write it, or cannot now, does without. */
  #remember(): void {
    if (
      !this.#notes ||
      this.#settled <= this.#noted ||
      performance.now() - this.#notedAt < NOTE_EVERY_MS ||
      this.#closed
    )
      return
    this.#notedAt = performance.now()
    this.#noted = this.#settled
    this.#driver.query(this.#note, [String(this.#settled)]).catch((error: unknown) => {
      // a role without the right to it: the server need not log that every two seconds
      if (classify(error).kind === 'other') this.#notes = false
    })
  }

  async #blocker(): Promise<Blocker | undefined> {
    const [row] = await this.#driver.query(this.#who)
    if (row === undefined) return undefined
    if (row[0] === null) return { detail: 'a prepared transaction (see pg_prepared_xacts)' }
    const pid = decode.number(row[0])
    const ageMs = row[1] === null ? undefined : decode.number(row[1])
    const [, , session, application] = row as (string | null)[]
    const name = application === null || application === '' ? '' : `, application '${application}'`
    return {
      pid,
      ...(ageMs !== undefined && { ageMs }),
      detail: `backend ${pid}, ${session ?? 'state unknown'}, in its transaction for ${ageMs ?? '?'} ms${name}`,
    }
  }
}

function parseWriters(text: string): Set<string> {
  return new Set(text === '{}' ? [] : text.slice(1, -1).split(','))
}
