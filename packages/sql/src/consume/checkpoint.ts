import type { ProjectionStatus } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlRow, SqlSession, SqlValue } from '../driver.js'
import type { Query } from '../read-access.js'
import { KEY, keyValues, VERSION_KEY } from './key.js'
import type { ProjectionKey } from './key.js'

/** A row of `projection_checkpoints`. */
export interface Checkpoint extends ProjectionKey {
  readonly shards: number
  readonly lastPosition: number
  /** The last event that was applied, skipped or parked. */
  readonly lastEventId: string | undefined
  readonly lastEventPosition: number
  readonly lastProcessedAt: Date | undefined
  readonly eventsProcessed: number
  readonly status: ProjectionStatus
  readonly errorMessage: string | undefined
  readonly pendingStep: 'set-up' | 'reset' | undefined
  readonly inCharge: boolean
  readonly targetPosition: number
  readonly logId: string
  readonly epoch: number
}

/** What a piece moves a checkpoint to. */
export interface Advance {
  readonly position: number
  readonly event: { readonly id: string; readonly position: number } | undefined
  readonly applied: number
}

const MAX_ERROR = 4_000

/** The status of a version that nothing stands in the way of. */
export const FREE_STATUS =
  "case when in_charge = 1 and last_position >= target_position then 'running' else 'rebuilding' end"

/** The statements on `projection_checkpoints`. */
export class Checkpoints {
  readonly #dialect: Dialect
  readonly #table: string
  readonly #select: string

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#table = dialect.table('projection_checkpoints')
    this.#select =
      'select tenant_id, projection_name, projection_version, shard, shards, last_position, last_event_id, last_event_position, ' +
      `${dialect.time('last_processed_at')}, events_processed, status, error_message, pending_step, in_charge, target_position, ` +
      `log_id, epoch from ${this.#table}`
  }

  async read(query: Query, key: ProjectionKey): Promise<Checkpoint | undefined> {
    const [row] = await query(`${this.#select} where ${KEY}`, keyValues(key), this.#decode)
    return row
  }

  /** All versions and shards, in this order; locked until the transaction's end if asked for. */
  named(query: Query, tenantId: string, name: string, lock = false): Promise<Checkpoint[]> {
    const text = `${this.#select} where tenant_id = $1 and projection_name = $2 order by projection_version, shard`
    return query(lock ? text + this.#dialect.consume.forUpdate : text, [tenantId, name], this.#decode)
  }

  all(query: Query): Promise<Checkpoint[]> {
    const order = 'projection_name, projection_version, tenant_id, shard'
    return query(`${this.#select} order by ${order}`, [], this.#decode)
  }

  async insert(
    session: SqlSession,
    key: ProjectionKey,
    shards: number,
    logId: string,
    target: number,
  ): Promise<void> {
    const columns =
      'tenant_id, projection_name, projection_version, shard, shards, status, pending_step, target_position, log_id'
    for (let shard = 0; shard < shards; shard++) {
      await session.execute(
        `insert into ${this.#table} (${columns}) values ($1, $2, $3, $4, $5, 'rebuilding', 'set-up', $6, $7)`,
        [...keyValues({ ...key, shard }), shards, target, logId],
      )
    }
  }

  /** Takes the row over for an epoch; whoever writes with an older one finds nothing any more. */
  async stamp(session: SqlSession, key: ProjectionKey, epoch: number): Promise<boolean> {
    const text = `update ${this.#table} set epoch = $5 where ${KEY} and epoch <= $5`
    return (await session.execute(text, [...keyValues(key), epoch])) > 0
  }

  /** The fence: `false` when the row is not as it was seen, so that nothing of this transaction may stay. */
  async advance(session: SqlSession, seen: Checkpoint, to: Advance): Promise<boolean> {
    const values: SqlValue[] = [
      ...keyValues(seen),
      to.position,
      to.applied,
      seen.epoch,
      seen.lastPosition,
      seen.status,
    ]
    const fence = `where ${KEY} and epoch = $7 and last_position = $8 and status = $9 and pending_step is null`
    const counted = `last_position = $5, events_processed = events_processed + $6, last_processed_at = ${this.#dialect.now}`
    if (to.event === undefined) {
      return (await session.execute(`update ${this.#table} set ${counted} ${fence}`, values)) > 0
    }
    const remembered = ', last_event_id = $10, last_event_position = $11'
    const text = `update ${this.#table} set ${counted}${remembered} ${fence}`
    return (await session.execute(text, [...values, to.event.id, to.event.position])) > 0
  }

  /** The fence for work that leaves the position as it is: one event more was applied. */
  async touch(session: SqlSession, seen: Checkpoint): Promise<boolean> {
    const counted = `events_processed = events_processed + 1, last_processed_at = ${this.#dialect.now}`
    const { text, params } = this.#asSeen(seen)
    return (await session.execute(`update ${this.#table} set ${counted} where ${text}`, params)) > 0
  }

  /** Stands still from now on, until somebody calls `resume`; `false` when the row is not as it was seen. */
  async fault(session: SqlSession, seen: Checkpoint, message: string): Promise<boolean> {
    const { text, params } = this.#asSeen(seen)
    const set = `status = 'faulted', error_message = $${params.length + 1}`
    const values = [...params, message.slice(0, MAX_ERROR)]
    return (await session.execute(`update ${this.#table} set ${set} where ${text}`, values)) > 0
  }

  /** Nobody has taken it over, and nobody asked anything of it. */
  #asSeen(seen: Checkpoint): { text: string; params: SqlValue[] } {
    const text = `${KEY} and epoch = $5 and last_position = $6 and status = $7 and pending_step`
    const params = [...keyValues(seen), seen.epoch, seen.lastPosition, seen.status]
    return seen.pendingStep === undefined
      ? { text: `${text} is null`, params }
      : { text: `${text} = $8`, params: [...params, seen.pendingStep] }
  }

  /** Tries a faulted projection again. */
  async unfault(session: SqlSession, seen: Checkpoint): Promise<void> {
    const text = `update ${this.#table} set status = ${FREE_STATUS} where ${KEY} and epoch = $5 and status = 'faulted'`
    await session.execute(text, [...keyValues(seen), seen.epoch])
  }

  /** A rebuild in place, or a version's first build, has come to the end of the log. */
  async finish(session: SqlSession, seen: ProjectionKey): Promise<void> {
    const text = `update ${this.#table} set status = 'running', in_charge = 1, error_message = null where ${VERSION_KEY}`
    await session.execute(text, keyValues(seen).slice(0, 3))
  }

  /** The step is done, for all shards. */
  async stepDone(session: SqlSession, seen: Checkpoint, logId: string): Promise<boolean> {
    const mine = `select 1 from ${this.#table} where ${KEY} and epoch = $5${this.#dialect.consume.forUpdate}`
    if ((await session.query(mine, [...keyValues(seen), seen.epoch])).length === 0) return false
    const start =
      seen.pendingStep === 'reset'
        ? ', last_position = 0, last_event_id = null, last_event_position = null, events_processed = 0, error_message = null'
        : ''
    const text = `update ${this.#table} set pending_step = null, log_id = $5${start} where ${VERSION_KEY} and pending_step = $4`
    await session.execute(text, [...keyValues(seen).slice(0, 3), seen.pendingStep ?? '', logId])
    return true
  }

  readonly #decode = (row: SqlRow): Checkpoint => {
    const { decode } = this.#dialect
    const number = (value: unknown): number => decode.number(value)
    const text = (value: unknown): string | undefined => (value === null ? undefined : (value as string))
    return {
      tenantId: String(row[0]),
      name: String(row[1]),
      version: number(row[2]),
      shard: number(row[3]),
      shards: number(row[4]),
      lastPosition: number(row[5]),
      lastEventId: text(row[6]),
      lastEventPosition: row[7] === null ? 0 : number(row[7]),
      lastProcessedAt: row[8] === null ? undefined : decode.time(row[8]),
      eventsProcessed: number(row[9]),
      status: row[10] as ProjectionStatus,
      errorMessage: text(row[11]),
      pendingStep: text(row[12]) as Checkpoint['pendingStep'],
      inCharge: number(row[13]) === 1,
      targetPosition: number(row[14]),
      logId: String(row[15]),
      epoch: number(row[16]),
    }
  }
}
