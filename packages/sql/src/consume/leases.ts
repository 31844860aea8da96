import type { Dialect } from '../dialect.js'
import type { SqlDriver, SqlRow } from '../driver.js'
import type { Query } from '../read-access.js'
import { binder } from '../where.js'
import { KEY, keyValues } from './key.js'
import type { ProjectionKey } from './key.js'
import { execute } from './run-context.js'

/** A row of `projection_leases`. */
export interface Lease extends ProjectionKey {
  readonly owner: string
  readonly epoch: number
  readonly expired: boolean
  readonly connection: string | undefined
  /** A process that has fewer leases, and asked for this one a moment ago. */
  readonly wantedBy: string | undefined
}

/** How long a wish stands: one that asked and died is not given anything. */
const WISH_MS = 3_000

/** The statements on `projection_leases`. Whose lease it is, the database's clock decides. */
export class Leases {
  readonly #driver: SqlDriver
  readonly #dialect: Dialect
  readonly #table: string

  constructor(driver: SqlDriver, dialect: Dialect) {
    this.#driver = driver
    this.#dialect = dialect
    this.#table = dialect.table('projection_leases')
  }

  /** Those of all versions and shards of these projections. */
  read(query: Query, names: readonly string[]): Promise<Lease[]> {
    const { params, bind } = binder()
    const text =
      'select tenant_id, projection_name, projection_version, shard, owner, epoch, connection, ' +
      `case when expires_at <= ${this.#dialect.now} then 1 else 0 end, ` +
      `case when wanted_until > ${this.#dialect.now} then wanted_by end from ${this.#table} ` +
      `where ${this.#dialect.filter.anyOf('projection_name', names, bind)}`
    return query(text, params, this.#decode)
  }

  /** The epoch of the lease if it could be had. */
  async acquire(
    key: ProjectionKey,
    owner: string,
    seen: Lease | undefined,
    leaseMs: number,
  ): Promise<number | undefined> {
    const later = (ms: string): string => this.#dialect.consume.later(ms)
    if (seen === undefined) {
      const columns = 'tenant_id, projection_name, projection_version, shard, owner, epoch, expires_at'
      // above what the checkpoint has seen, should somebody have emptied this table
      const checkpoints = this.#dialect.table('projection_checkpoints')
      const [row] = await this.#driver.query(`select epoch from ${checkpoints} where ${KEY}`, keyValues(key))
      const first = row === undefined ? 1 : this.#dialect.decode.number(row[0]) + 1
      try {
        const text = `insert into ${this.#table} (${columns}) values ($1, $2, $3, $4, $5, $7, ${later('$6')})`
        await execute(this.#driver, text, [...keyValues(key), owner, leaseMs, first])
        return first
      } catch (error) {
        if (this.#driver.classify(error).kind !== 'unique') throw error
        return undefined
      }
    }
    const { epoch } = seen
    const text =
      `update ${this.#table} set owner = $5, epoch = epoch + 1, expires_at = ${later('$6')}, connection = null ` +
      `where ${KEY} and epoch = $7 and expires_at <= ${this.#dialect.now}`
    const found = await execute(this.#driver, text, [...keyValues(key), owner, leaseMs, epoch])
    return found > 0 ? epoch + 1 : undefined
  }

  /** All that the owner has, in one statement. */
  async renew(owner: string, leaseMs: number): Promise<void> {
    const text = `update ${this.#table} set expires_at = ${this.#dialect.consume.later('$2')} where owner = $1`
    await execute(this.#driver, text, [owner, leaseMs])
  }

  /** So that the next one need not wait; nor end the connection, which goes on serving others. */
  async release(key: ProjectionKey, owner: string): Promise<void> {
    const text =
      `update ${this.#table} set owner = '', connection = null, expires_at = ${this.#dialect.now} ` +
      `where ${KEY} and owner = $5`
    await execute(this.#driver, text, [...keyValues(key), owner])
  }

  /** All that the owner has or wants, when it goes. */
  async leave(owner: string): Promise<void> {
    await execute(
      this.#driver,
      `update ${this.#table} set wanted_by = null, wanted_until = null where wanted_by = $1`,
      [owner],
    )
    await execute(
      this.#driver,
      `update ${this.#table} set owner = '', connection = null, expires_at = ${this.#dialect.now} where owner = $1`,
      [owner],
    )
  }

  /** Asks whoever has it to hand it over; the first one who asks gets it. */
  async want(key: ProjectionKey, owner: string): Promise<void> {
    const { now, consume } = this.#dialect
    const text =
      `update ${this.#table} set wanted_by = $5, wanted_until = ${consume.later('$6')} ` +
      `where ${KEY} and (wanted_until is null or wanted_until <= ${now} or wanted_by = $5)`
    await execute(this.#driver, text, [...keyValues(key), owner, WISH_MS])
  }

  /** To the one who asked for it, with an epoch of its own. */
  async handOver(key: ProjectionKey, owner: string, to: string, leaseMs: number): Promise<void> {
    const text =
      `update ${this.#table} set owner = $6, epoch = epoch + 1, expires_at = ${this.#dialect.consume.later('$7')}, ` +
      `connection = null, wanted_by = null, wanted_until = null where ${KEY} and owner = $5`
    await execute(this.#driver, text, [...keyValues(key), owner, to, leaseMs])
  }

  async nameConnection(key: ProjectionKey, owner: string, connection: string): Promise<void> {
    const text = `update ${this.#table} set connection = $6 where ${KEY} and owner = $5`
    await execute(this.#driver, text, [...keyValues(key), owner, connection])
  }

  readonly #decode = (row: SqlRow): Lease => {
    const number = (value: unknown): number => this.#dialect.decode.number(value)
    return {
      tenantId: String(row[0]),
      name: String(row[1]),
      version: number(row[2]),
      shard: number(row[3]),
      owner: String(row[4]),
      epoch: number(row[5]),
      connection: row[6] === null ? undefined : (row[6] as string),
      expired: number(row[7]) === 1,
      wantedBy: row[8] === null ? undefined : (row[8] as string),
    }
  }
}
