import type { OutboxEntry } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlSession, SqlValue } from '../driver.js'
import type { Query } from '../read-access.js'
import type { ProcessKey } from './process-tables.js'

/** Something to be carried out. */
export interface OutboxRow {
  readonly position: number
  readonly number: number
  readonly correlationId: string
  readonly entry: OutboxEntry
  readonly attempts: number
  readonly errorMessage: string | undefined
}

/** What processes have asked for and what is still to be carried out, in the order in which it was asked for. */
export class ProcessOutbox {
  readonly #dialect: Dialect
  readonly #table: string
  /** Of an entry `o`: those behind it in the same correlation wait for it. */
  readonly #isFirst: string

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#table = dialect.table('process_outbox')
    this.#isFirst =
      `not exists (select 1 from ${this.#table} e where e.tenant_id = o.tenant_id ` +
      'and e.process_name = o.process_name and e.correlation_id = o.correlation_id ' +
      'and (e.position < o.position or (e.position = o.position and e.number < o.number)))'
  }

  async add(
    session: SqlSession,
    key: ProcessKey,
    correlationId: string,
    position: number,
    entries: readonly OutboxEntry[],
  ): Promise<void> {
    for (const [number, entry] of entries.entries()) {
      await session.query(
        `insert into ${this.#table} (tenant_id, process_name, correlation_id, position, number, entry, due_at) ` +
          `values ($1, $2, $3, $4, $5, $6, ${this.#dialect.now})`,
        [key.tenantId, key.process, correlationId, position, number, JSON.stringify(entry)],
      )
    }
  }

  /** Of each correlation the first entry; those that failed a moment ago are not due, and take no place from others. */
  due(query: Query, key: ProcessKey, limit: number): Promise<OutboxRow[]> {
    const where = `o.tenant_id = $1 and o.process_name = $2 and o.due_at <= ${this.#dialect.now} and ${this.#isFirst}`
    return this.#rows(query, where, [key.tenantId, key.process, limit])
  }

  of(query: Query, key: ProcessKey, correlationId: string): Promise<OutboxRow[]> {
    const where = 'o.tenant_id = $1 and o.process_name = $2 and o.correlation_id = $4'
    return this.#rows(query, where, [key.tenantId, key.process, 1_000, correlationId])
  }

  /** A query of the times when entries are due, by tenant $1 and process $2. */
  get dueTimes(): string {
    return `select o.due_at from ${this.#table} o where o.tenant_id = $1 and o.process_name = $2 and ${this.#isFirst}`
  }

  #rows(query: Query, where: string, params: readonly SqlValue[]): Promise<OutboxRow[]> {
    const { decode } = this.#dialect
    return query(
      'select o.position, o.number, o.correlation_id, o.entry, o.attempts, o.error_message ' +
        `from ${this.#table} o where ${where} order by o.position, o.number limit $3`,
      params,
      (row): OutboxRow => ({
        position: decode.number(row[0]),
        number: decode.number(row[1]),
        correlationId: row[2] as string,
        entry: decode.json(row[3]) as unknown as OutboxEntry,
        attempts: decode.number(row[4]),
        errorMessage: row[5] === null ? undefined : (row[5] as string),
      }),
    )
  }

  async done(query: Query, key: ProcessKey, { position, number }: OutboxRow): Promise<void> {
    await query(
      `delete from ${this.#table} where tenant_id = $1 and process_name = $2 and position = $3 and number = $4`,
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
      `update ${this.#table} set attempts = attempts + 1, error_message = $5, ` +
        `due_at = ${this.#dialect.consume.later('$6')} ` +
        'where tenant_id = $1 and process_name = $2 and position = $3 and number = $4',
      [key.tenantId, key.process, row.position, row.number, message, pauseMs],
    )
  }

  async clear(session: SqlSession, key: ProcessKey): Promise<void> {
    await session.query(`delete from ${this.#table} where tenant_id = $1 and process_name = $2`, [
      key.tenantId,
      key.process,
    ])
  }
}
