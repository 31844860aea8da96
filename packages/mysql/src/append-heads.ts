import { ANY, EXISTS } from '@varve/sql'
import type { HeadWrite, SqlRow, SqlValue } from '@varve/sql'
import { decode } from './decode.js'
import { keyCondition } from './keys.js'
import type { Names } from './names.js'
import type { MysqlSession } from './session.js'
import { fitting, MAX_KEYS } from './sizes.js'

/** A stream's head as it is locked. */
export interface Head {
  readonly streamType: string
  readonly version: number
  /** As text, with microseconds. */
  readonly updatedAt: string
  readonly archived: boolean
}

/** What the server said when the lock of the log was had. */
export interface LogHead {
  /** The database's clock, as text, with microseconds. */
  readonly now: string
  /** From one position to the next. */
  readonly increment: number
  /** The most bytes of one statement that the server takes. */
  readonly maxPacket: number
}

/** The head that a write leaves behind. */
export interface NewHead {
  readonly write: HeadWrite
  readonly before: Head | undefined
  readonly streamType: string
  readonly version: number
  readonly at: string
}

export class HeadStatements {
  readonly #streams: string

  constructor(names: Names) {
    this.#streams = names.quoted('event_streams')
  }

  /**
   * Locks the head of the log, which everybody who appends holds until his commit, and then the streams'. What is read is
   * what is committed by then, whatever the transaction's snapshot; and no stream that is missing can be made meanwhile.
   */
  async lock(
    session: MysqlSession,
    writes: readonly HeadWrite[],
  ): Promise<{ log: LogHead; heads: Map<string, Head> }> {
    for (;;) {
      const heads = new Map<string, Head>()
      let log: LogHead | undefined
      for (let from = 0; from < writes.length; from += MAX_KEYS) {
        const params: SqlValue[] = []
        const streams = keyCondition(writes.slice(from, from + MAX_KEYS), params)
        const withLog = from === 0
        const where = withLog ? `tenant_id = '' and stream_id = '' or ${streams}` : streams
        for (const row of await session.query(this.#lock(where), params)) {
          if (row[1] === '') log = logHeadOf(row)
          else heads.set(`${row[0] as string}\0${row[1] as string}`, headOf(row))
        }
        if (withLog && log === undefined) break
      }
      if (log !== undefined) return { log, heads }
      await this.#makeLogHead(session)
    }
  }

  #lock(where: string): string {
    return (
      'select tenant_id, stream_id, stream_type, version, updated_at, archived_at is not null, ' +
      `if(stream_id = '', concat_ws('/', utc_timestamp(6), @@auto_increment_increment, @@max_allowed_packet), null) ` +
      `from ${this.#streams} where ${where} order by tenant_id, stream_id for update`
    )
  }

  /** Somebody has emptied the table. */
  async #makeLogHead(session: MysqlSession): Promise<void> {
    await session.execute(
      `insert ignore into ${this.#streams} (tenant_id, stream_id, stream_type, version, created_at, updated_at) ` +
        `values ('', '', '', 0, utc_timestamp(6), utc_timestamp(6))`,
      [],
    )
  }

  /** Writes the heads of streams that have got events. */
  async store(session: MysqlSession, heads: readonly NewHead[], now: string): Promise<void> {
    await this.#insert(
      session,
      heads.filter(({ before }) => before === undefined),
    )
    const byEvents = Map.groupBy(
      heads.filter(({ before }) => before !== undefined),
      ({ write }) => write.events.length,
    )
    for (const [events, group] of byEvents) await this.#update(session, events, now, group)
  }

  async #insert(session: MysqlSession, heads: readonly NewHead[]): Promise<void> {
    for (let from = 0; from < heads.length;) {
      const rows = heads.slice(from, from + fitting(heads.length - from))
      const places = rows.map((_, index) => {
        const [tenant, stream, type, version, at] = [1, 2, 3, 4, 5].map((n) => `$${5 * index + n}`)
        return `(${tenant}, ${stream}, ${type}, ${version}, ${at}, ${at})`
      })
      await session.execute(
        `insert into ${this.#streams} (tenant_id, stream_id, stream_type, version, created_at, updated_at) ` +
          `values ${places.join(', ')}`,
        rows.flatMap(({ write, streamType, version, at }) => [
          write.tenantId,
          write.streamId,
          streamType,
          version,
          at,
        ]),
      )
      from += rows.length
    }
  }

  /** Of streams that have all got so many events: one statement serves them all. */
  async #update(
    session: MysqlSession,
    events: number,
    now: string,
    heads: readonly NewHead[],
  ): Promise<void> {
    for (let from = 0; from < heads.length; from += MAX_KEYS) {
      const params: SqlValue[] = [events, now]
      const keys = heads.slice(from, from + MAX_KEYS).map(({ write }) => write)
      await session.execute(
        `update ${this.#streams} set version = version + cast($1 as signed), ` +
          `updated_at = greatest(updated_at, cast($2 as datetime(6))) where ${keyCondition(keys, params)}`,
        params,
      )
    }
  }
}

function headOf(row: SqlRow): Head {
  return {
    streamType: row[2] as string,
    version: decode.number(row[3]),
    updatedAt: row[4] as string,
    archived: Number(row[5]) !== 0,
  }
}

function logHeadOf(row: SqlRow): LogHead {
  const [now = '', increment, maxPacket] = String(row[6]).split('/')
  return { now, increment: decode.number(increment), maxPacket: decode.number(maxPacket) }
}

/** Whether the head is as the write expects it. */
export function admits({ expected, streamType, events }: HeadWrite, head: Head | undefined): boolean {
  if (head !== undefined) {
    if (head.archived && events.length > 0) return false
    if (streamType !== undefined && streamType !== head.streamType) return false
  }
  if (expected === ANY) return true
  const version = head?.version ?? 0
  return expected === EXISTS ? version > 0 : version === expected
}
