import type { Dialect } from '../dialect.js'
import type { Query } from '../read-access.js'

export interface Lag {
  readonly events: number
  readonly seconds: number
}

/** What lies behind a position, counted: positions have gaps. Seconds by the database's clock, since the oldest of it. */
export async function lagOf(
  query: Query,
  dialect: Dialect,
  tenantId: string,
  position: number,
): Promise<Lag> {
  const own = tenantId === '' ? '' : ' and tenant_id = $2'
  const from = `from ${dialect.table('events')} where position > $1${own}`
  const params = tenantId === '' ? [position] : [position, tenantId]
  const [counted] = await query(`select count(*) ${from}`, params)
  const events = dialect.decode.number(counted?.[0])
  if (events === 0) return { events, seconds: 0 }
  return { events, seconds: await secondsSince(query, dialect, tenantId, position) }
}

/** The age of the oldest event behind a position; 0 when there is none. */
export async function secondsSince(
  query: Query,
  dialect: Dialect,
  tenantId: string,
  position: number,
): Promise<number> {
  const own = tenantId === '' ? '' : ' and tenant_id = $2'
  const text =
    `select ${dialect.time('created_at')}, ${dialect.time(dialect.now)} from ${dialect.table('events')} ` +
    `where position > $1${own} order by position limit 1`
  const [row] = await query(text, tenantId === '' ? [position] : [position, tenantId])
  if (row === undefined) return 0
  const ms = dialect.decode.time(row[1]).getTime() - dialect.decode.time(row[0]).getTime()
  return Math.max(0, ms / 1_000)
}
