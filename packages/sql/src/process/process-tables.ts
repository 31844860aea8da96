import type { Advanced, OutboxEntry, PendingTimeout, ProcessInstance } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlSession, SqlValue } from '../driver.js'
import type { Query } from '../read-access.js'

/** Whose rows: of one process of one tenant. */
export interface ProcessKey {
  readonly tenantId: string
  readonly process: string
}

/** Something to be carried out. */
export interface OutboxRow {
  readonly position: number
  readonly number: number
  readonly correlationId: string
  readonly entry: OutboxEntry
  readonly attempts: number
  readonly errorMessage: string | undefined
  readonly isDue: boolean
}

export interface TimeoutRow extends PendingTimeout {
  readonly correlationId: string
}

/** The tables of process managers. */
export class ProcessTables {
  readonly #dialect: Dialect
  readonly #instances: string
  readonly #outbox: string
  readonly #timeouts: string
  /** Of an entry `o`: those behind it in the same correlation wait for it. */
  readonly #isFirst: string

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#instances = dialect.table('process_instances')
    this.#outbox = dialect.table('process_outbox')
    this.#timeouts = dialect.table('process_timeouts')
    this.#isFirst =
      `not exists (select 1 from ${this.#outbox} e where e.tenant_id = o.tenant_id ` +
      'and e.process_name = o.process_name and e.correlation_id = o.correlation_id ' +
      'and (e.position < o.position or (e.position = o.position and e.number < o.number)))'
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
    const base = [key.tenantId, key.process, correlationId]
    const values = [
      instance.completed ? 1 : 0,
      JSON.stringify(instance.state),
      JSON.stringify(instance.pending),
    ]
    const { now } = this.#dialect
    await session.query(
      known
        ? `update ${this.#instances} set completed = $4, state = $5, pending = $6, updated_at = ${now} ` +
            'where tenant_id = $1 and process_name = $2 and correlation_id = $3'
        : `insert into ${this.#instances} (tenant_id, process_name, correlation_id, completed, state, pending, updated_at) ` +
            `values ($1, $2, $3, $4, $5, $6, ${now})`,
      [...base, ...values],
    )
    for (const name of [...cancelled, ...timeouts.map((timeout) => timeout.name)]) {
      await session.query(
        `delete from ${this.#timeouts} ` +
          'where tenant_id = $1 and process_name = $2 and correlation_id = $3 and timeout_name = $4',
        [...base, name],
      )
    }
    // of two of the same name the later one counts
    for (const { name, id, dueAt, data } of new Map(
      timeouts.map((timeout) => [timeout.name, timeout]),
    ).values()) {
      await session.query(
        `insert into ${this.#timeouts} (tenant_id, process_name, correlation_id, timeout_name, timeout_id, due_at, data) ` +
          'values ($1, $2, $3, $4, $5, $6, $7)',
        [...base, name, id, this.#dialect.filter.time(dueAt), JSON.stringify(data)],
      )
    }
    for (const [number, entry] of outbox.entries()) {
      await session.query(
        `insert into ${this.#outbox} (tenant_id, process_name, correlation_id, position, number, entry, due_at) ` +
          `values ($1, $2, $3, $4, $5, $6, ${now})`,
        [...base, position, number, JSON.stringify(entry)],
      )
    }
  }

  /** Takes a timeout that has fired out of the table, unless it was set anew. */
  async removeTimeout(query: Query, key: ProcessKey, { correlationId, name, id }: TimeoutRow): Promise<void> {
    await query(
      `delete from ${this.#timeouts} where tenant_id = $1 and process_name = $2 and correlation_id = $3 ` +
        'and timeout_name = $4 and timeout_id = $5',
      [key.tenantId, key.process, correlationId, name, id],
    )
  }

  /** Of each correlation the first entry; those that failed a moment ago are not due. */
  firstEntries(query: Query, key: ProcessKey, limit: number): Promise<OutboxRow[]> {
    return this.#rows(query, `o.tenant_id = $1 and o.process_name = $2 and ${this.#isFirst}`, [
      key.tenantId,
      key.process,
      limit,
    ])
  }

  entriesOf(query: Query, key: ProcessKey, correlationId: string): Promise<OutboxRow[]> {
    const where = 'o.tenant_id = $1 and o.process_name = $2 and o.correlation_id = $4'
    return this.#rows(query, where, [key.tenantId, key.process, 1_000, correlationId])
  }

  #rows(query: Query, where: string, params: readonly SqlValue[]): Promise<OutboxRow[]> {
    const { decode, now } = this.#dialect
    return query(
      'select o.position, o.number, o.correlation_id, o.entry, o.attempts, o.error_message, ' +
        `case when o.due_at <= ${now} then 1 else 0 end ` +
        `from ${this.#outbox} o where ${where} order by o.position, o.number limit $3`,
      params,
      (row): OutboxRow => ({
        position: decode.number(row[0]),
        number: decode.number(row[1]),
        correlationId: row[2] as string,
        entry: decode.json(row[3]) as unknown as OutboxEntry,
        attempts: decode.number(row[4]),
        errorMessage: row[5] === null ? undefined : (row[5] as string),
        isDue: decode.number(row[6]) === 1,
      }),
    )
  }

  async done(query: Query, key: ProcessKey, { position, number }: OutboxRow): Promise<void> {
    await query(
      `delete from ${this.#outbox} where tenant_id = $1 and process_name = $2 and position = $3 and number = $4`,
      [key.tenantId, key.process, position, number],
    )
  }

  async failed(
    query: Query,
    key: ProcessKey,
    row: OutboxRow,
    message: string,
    pauseMs: number,
  ): Promise<void> {
    await query(
      `update ${this.#outbox} set attempts = attempts + 1, error_message = $5, ` +
        `due_at = ${this.#dialect.consume.later('$6')} ` +
        'where tenant_id = $1 and process_name = $2 and position = $3 and number = $4',
      [key.tenantId, key.process, row.position, row.number, message, pauseMs],
    )
  }

  timeouts(
    query: Query,
    key: ProcessKey,
    of: { due: true; limit: number } | { correlationId: string },
  ): Promise<TimeoutRow[]> {
    const { decode, now } = this.#dialect
    const [condition, params]: [string, SqlValue[]] =
      'due' in of ? [`due_at <= ${now}`, [of.limit]] : ['correlation_id = $4', [1_000, of.correlationId]]
    return query(
      `select correlation_id, timeout_name, timeout_id, ${this.#dialect.time('due_at')}, data from ${this.#timeouts} ` +
        `where tenant_id = $1 and process_name = $2 and ${condition} order by due_at, correlation_id limit $3`,
      [key.tenantId, key.process, ...params],
      (row): TimeoutRow => ({
        correlationId: row[0] as string,
        name: row[1] as string,
        id: row[2] as string,
        dueAt: decode.time(row[3]),
        data: decode.json(row[4]),
      }),
    )
  }

  /** Milliseconds until the next timeout or repetition is due, by the database's clock; undefined when none waits. */
  async nextDue(query: Query, key: ProcessKey): Promise<number | undefined> {
    const { decode, now } = this.#dialect
    const [row] = await query(
      `select ${this.#dialect.time('min(due_at)')}, ${this.#dialect.time(now)} from (` +
        `select due_at from ${this.#timeouts} where tenant_id = $1 and process_name = $2 union all ` +
        `select o.due_at from ${this.#outbox} o where o.tenant_id = $1 and o.process_name = $2 and ${this.#isFirst}) waiting`,
      [key.tenantId, key.process],
    )
    if (row === undefined || row[0] === null) return undefined
    return decode.time(row[0]).getTime() - decode.time(row[1]).getTime()
  }

  async clear(session: SqlSession, key: ProcessKey): Promise<void> {
    for (const table of [this.#instances, this.#outbox, this.#timeouts]) {
      await session.query(`delete from ${table} where tenant_id = $1 and process_name = $2`, [
        key.tenantId,
        key.process,
      ])
    }
  }
}
