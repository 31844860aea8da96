import type { Database } from 'better-sqlite3'
import type { Connection } from 'mysql2/promise'
import type { ClientBase } from 'pg'

/** What the example asks of the drivers' own clients, which the store hands out in its transactions. */
export interface Sql {
  run(client: unknown, text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** As statements of this database name the table of events. */
  readonly events: string
}

/** Parameters are written `?`; the statements are such that all engines take them. */
export function sqlFor(url: string): Sql {
  if (url.startsWith('sqlite:')) return { run: onSqlite, events: 'events' }
  if (url.startsWith('postgres')) return { run: onPostgres, events: 'varve.events' }
  return { run: onMysql, events: 'events' }
}

async function onSqlite(client: unknown, text: string, values: readonly unknown[] = []) {
  const statement = (client as Database).prepare(text)
  if (statement.reader) return statement.all(...values) as Record<string, unknown>[]
  statement.run(...values)
  return []
}

async function onPostgres(client: unknown, text: string, values: readonly unknown[] = []) {
  let number = 0
  const { rows } = await (client as ClientBase).query<Record<string, unknown>>(
    text.replaceAll('?', () => `$${++number}`),
    [...values],
  )
  return rows
}

async function onMysql(client: unknown, text: string, values: readonly unknown[] = []) {
  const [rows] = await (client as Connection).query(text, [...values])
  return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
}
