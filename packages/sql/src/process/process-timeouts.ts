import type { PendingTimeout } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlSession, SqlValue } from '../driver.js'
import type { Query } from '../read-access.js'
import type { ProcessKey } from './process-tables.js'

export interface TimeoutRow extends PendingTimeout {
  readonly correlationId: string
}

/** The timeouts that processes wait for. */
export class ProcessTimeouts {
  readonly #dialect: Dialect
  readonly #table: string

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#table = dialect.table('process_timeouts')
  }

  /** Takes out the cancelled ones, and those that are set anew. */
  async set(
    session: SqlSession,
    key: ProcessKey,
    correlationId: string,
    timeouts: readonly PendingTimeout[],
    cancelled: readonly string[],
  ): Promise<void> {
    const base = [key.tenantId, key.process, correlationId]
    for (const name of [...cancelled, ...timeouts.map((timeout) => timeout.name)]) {
      await session.query(
        `delete from ${this.#table} ` +
          'where tenant_id = $1 and process_name = $2 and correlation_id = $3 and timeout_name = $4',
        [...base, name],
      )
    }
    // of two of the same name the later one counts
    const last = new Map(timeouts.map((timeout) => [timeout.name, timeout]))
    for (const { name, id, dueAt, data } of last.values()) {
      await session.query(
        `insert into ${this.#table} (tenant_id, process_name, correlation_id, timeout_name, timeout_id, due_at, data) ` +
          'values ($1, $2, $3, $4, $5, $6, $7)',
        [...base, name, id, this.#dialect.filter.time(dueAt), JSON.stringify(data)],
      )
    }
  }

  due(query: Query, key: ProcessKey, limit: number): Promise<TimeoutRow[]> {
    return this.#rows(query, `due_at <= ${this.#dialect.now}`, [key.tenantId, key.process, limit])
  }

  of(query: Query, key: ProcessKey, correlationId: string): Promise<TimeoutRow[]> {
    return this.#rows(query, 'correlation_id = $4', [key.tenantId, key.process, 1_000, correlationId])
  }

  /** A query of the times when they are due, by tenant $1 and process $2. */
  get dueTimes(): string {
    return `select due_at from ${this.#table} where tenant_id = $1 and process_name = $2`
  }

  #rows(query: Query, condition: string, params: readonly SqlValue[]): Promise<TimeoutRow[]> {
    const { decode } = this.#dialect
    return query(
      `select correlation_id, timeout_name, timeout_id, ${this.#dialect.time('due_at')}, data from ${this.#table} ` +
        `where tenant_id = $1 and process_name = $2 and ${condition} order by due_at, correlation_id limit $3`,
      params,
      (row): TimeoutRow => ({
        correlationId: row[0] as string,
        name: row[1] as string,
        id: row[2] as string,
        dueAt: decode.time(row[3]),
        data: decode.json(row[4]),
      }),
    )
  }

  /** Takes out one that has fired, unless it was set anew. */
  async fired(
    query: Query,
    key: ProcessKey,
    { correlationId, name, id }: Pick<TimeoutRow, 'correlationId' | 'name' | 'id'>,
  ): Promise<void> {
    await query(
      `delete from ${this.#table} where tenant_id = $1 and process_name = $2 and correlation_id = $3 ` +
        'and timeout_name = $4 and timeout_id = $5',
      [key.tenantId, key.process, correlationId, name, id],
    )
  }

  async clear(session: SqlSession, key: ProcessKey): Promise<void> {
    await session.query(`delete from ${this.#table} where tenant_id = $1 and process_name = $2`, [
      key.tenantId,
      key.process,
    ])
  }
}
