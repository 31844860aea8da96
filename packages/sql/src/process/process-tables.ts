import type { Advanced, ProcessInstance } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlSession } from '../driver.js'
import type { Query } from '../read-access.js'
import { ProcessOutbox } from './process-outbox.js'
import { ProcessTimeouts } from './process-timeouts.js'

/** Whose rows: of one process of one tenant. */
export interface ProcessKey {
  readonly tenantId: string
  readonly process: string
}

/** The tables of process managers. */
export class ProcessTables {
  readonly outbox: ProcessOutbox
  readonly timeouts: ProcessTimeouts
  readonly #dialect: Dialect
  readonly #instances: string

  constructor(dialect: Dialect) {
    this.outbox = new ProcessOutbox(dialect)
    this.timeouts = new ProcessTimeouts(dialect)
    this.#dialect = dialect
    this.#instances = dialect.table('process_instances')
  }

  async read(query: Query, key: ProcessKey, correlationId: string): Promise<ProcessInstance | undefined> {
    const { decode } = this.#dialect
    const [found] = await query(
      `select state, pending, completed from ${this.#instances} ` +
        'where tenant_id = $1 and process_name = $2 and correlation_id = $3',
      [key.tenantId, key.process, correlationId],
      (row): ProcessInstance => ({
        state: decode.json(row[0]),
        pending: decode.json(row[1]) as Record<string, string>,
        completed: decode.number(row[2]) === 1,
      }),
    )
    return found
  }

  /** Writes what follows from the event at `position`, in the session's transaction. */
  async write(
    session: SqlSession,
    key: ProcessKey,
    correlationId: string,
    position: number,
    { known, advanced }: { known: boolean; advanced: Advanced },
  ): Promise<void> {
    const { instance, outbox, timeouts, cancelled } = advanced
    const { now } = this.#dialect
    await session.query(
      known
        ? `update ${this.#instances} set completed = $4, state = $5, pending = $6, updated_at = ${now} ` +
            'where tenant_id = $1 and process_name = $2 and correlation_id = $3'
        : `insert into ${this.#instances} (tenant_id, process_name, correlation_id, completed, state, pending, updated_at) ` +
            `values ($1, $2, $3, $4, $5, $6, ${now})`,
      [
        key.tenantId,
        key.process,
        correlationId,
        instance.completed ? 1 : 0,
        JSON.stringify(instance.state),
        JSON.stringify(instance.pending),
      ],
    )
    await this.timeouts.set(session, key, correlationId, timeouts, cancelled)
    await this.outbox.add(session, key, correlationId, position, outbox)
  }

  /** Milliseconds until the next timeout or repetition is due, by the database's clock; undefined when none waits. */
  async nextDue(query: Query, key: ProcessKey): Promise<number | undefined> {
    const { decode, now } = this.#dialect
    const [row] = await query(
      `select ${this.#dialect.time('min(due_at)')}, ${this.#dialect.time(now)} from (` +
        `${this.timeouts.dueTimes} union all ${this.outbox.dueTimes}) waiting`,
      [key.tenantId, key.process],
    )
    if (row === undefined || row[0] === null) return undefined
    return decode.time(row[0]).getTime() - decode.time(row[1]).getTime()
  }

  async clear(session: SqlSession, key: ProcessKey): Promise<void> {
    await session.query(`delete from ${this.#instances} where tenant_id = $1 and process_name = $2`, [
      key.tenantId,
      key.process,
    ])
    await this.outbox.clear(session, key)
    await this.timeouts.clear(session, key)
  }
}
