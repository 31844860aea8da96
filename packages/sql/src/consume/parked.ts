import type { ParkedEvent, RecordedEvent } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlRow, SqlSession, SqlValue } from '../driver.js'
import type { Query } from '../read-access.js'
import { binder } from '../where.js'
import { keyValues, VERSION_KEY } from './key.js'
import type { ProjectionKey } from './key.js'

/** Events that wait behind the first parked one of their stream say this. */
const BEHIND = 'waits behind an earlier event of its stream'
const MAX_ERROR = 4_000

export interface ParkedRow extends ParkedEvent {
  readonly key: ProjectionKey
  readonly retryRequested: boolean
}

/** Which rows of `parked_events` are meant. */
export interface ParkedSelection {
  readonly tenantIds?: readonly string[]
  readonly name: string
  readonly version?: number | undefined
  readonly shard?: number
  readonly eventTenantId?: string | undefined
  readonly streamId?: string | undefined
  readonly position?: number | undefined
  /** Behind this position. */
  readonly after?: number
  readonly requested?: boolean
}

export function parkedStream({ tenantId, streamId }: Pick<RecordedEvent, 'tenantId' | 'streamId'>): string {
  return `${tenantId}\0${streamId}`
}

/** The statements on `parked_events`. */
export class ParkedEvents {
  readonly #dialect: Dialect
  readonly #table: string

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#table = dialect.table('parked_events')
  }

  /** Parks an event; without an error it only waits behind another one. */
  async park(
    session: SqlSession,
    key: ProjectionKey,
    event: RecordedEvent,
    failure?: { message: string; attempts: number },
  ): Promise<void> {
    const columns =
      'tenant_id, projection_name, projection_version, shard, position, event_tenant_id, stream_id, version, event_id, ' +
      'event_type, error_message, attempts'
    await session.execute(
      `insert into ${this.#table} (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        ...keyValues(key),
        event.position,
        event.tenantId,
        event.streamId,
        event.version,
        event.id,
        event.type,
        (failure?.message ?? BEHIND).slice(0, MAX_ERROR),
        failure?.attempts ?? 0,
      ],
    )
  }

  /** The streams in which something is parked. */
  async streams(query: Query, key: ProjectionKey): Promise<Set<string>> {
    const where = `${VERSION_KEY} and shard = $4`
    const rows = await query(
      `select distinct event_tenant_id, stream_id from ${this.#table} where ${where}`,
      keyValues(key),
      (row) => parkedStream({ tenantId: String(row[0]), streamId: String(row[1]) }),
    )
    return new Set(rows)
  }

  list(query: Query, selection: ParkedSelection): Promise<ParkedRow[]> {
    const { where, params } = this.#where(selection)
    const text =
      'select tenant_id, projection_name, projection_version, shard, position, event_tenant_id, stream_id, version, event_id, ' +
      `event_type, error_message, attempts, ${this.#dialect.time('parked_at')}, retry_requested from ${this.#table} ` +
      `where ${where} order by position`
    return query(text, params, this.#decode)
  }

  async request(session: SqlSession, selection: ParkedSelection): Promise<number> {
    const { where, params } = this.#where(selection)
    return session.execute(`update ${this.#table} set retry_requested = 1 where ${where}`, params)
  }

  async discard(session: SqlSession, selection: ParkedSelection): Promise<number> {
    const { where, params } = this.#where(selection)
    return session.execute(`delete from ${this.#table} where ${where}`, params)
  }

  /** Takes an event out; `false` when somebody else has. */
  async remove(
    session: SqlSession,
    { key, position }: Pick<ParkedRow, 'key' | 'position'>,
  ): Promise<boolean> {
    const text = `delete from ${this.#table} where ${VERSION_KEY} and position = $4`
    return (await session.execute(text, [...keyValues(key).slice(0, 3), position])) > 0
  }

  /** Another try has failed: the whole stream waits for the next request. */
  async failed(session: SqlSession, row: ParkedRow, message: string): Promise<void> {
    const one = `${VERSION_KEY} and position = $4`
    await session.execute(
      `update ${this.#table} set attempts = attempts + 1, error_message = $5 where ${one}`,
      [...keyValues(row.key).slice(0, 3), row.position, message.slice(0, MAX_ERROR)],
    )
    const stream = `${VERSION_KEY} and event_tenant_id = $4 and stream_id = $5`
    await session.execute(`update ${this.#table} set retry_requested = 0 where ${stream}`, [
      ...keyValues(row.key).slice(0, 3),
      row.tenantId,
      row.streamId,
    ])
  }

  #where(selection: ParkedSelection): { where: string; params: SqlValue[] } {
    const { params, bind } = binder()
    const where = [`projection_name = ${bind(selection.name)}`]
    const equal = (column: string, value: SqlValue | undefined): void => {
      if (value !== undefined) where.push(`${column} = ${bind(value)}`)
    }
    if (selection.tenantIds !== undefined) {
      where.push(this.#dialect.filter.anyOf('tenant_id', selection.tenantIds, bind))
    }
    equal('projection_version', selection.version)
    equal('shard', selection.shard)
    equal('event_tenant_id', selection.eventTenantId)
    equal('stream_id', selection.streamId)
    equal('position', selection.position)
    if (selection.after !== undefined) where.push(`position > ${bind(selection.after)}`)
    if (selection.requested === true) where.push('retry_requested = 1')
    return { where: where.join(' and '), params }
  }

  readonly #decode = (row: SqlRow): ParkedRow => {
    const { decode } = this.#dialect
    const number = (value: unknown): number => decode.number(value)
    return {
      key: { tenantId: String(row[0]), name: String(row[1]), version: number(row[2]), shard: number(row[3]) },
      position: number(row[4]),
      tenantId: String(row[5]),
      streamId: String(row[6]),
      version: number(row[7]),
      eventId: String(row[8]),
      eventType: String(row[9]),
      errorMessage: String(row[10]),
      attempts: number(row[11]),
      parkedAt: decode.time(row[12]),
      retryRequested: number(row[13]) === 1,
    }
  }
}
