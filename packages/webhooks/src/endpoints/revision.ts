import type { SqlSession } from '@varve/sql'
import type { Database } from '../sql/database.js'

/**
 * Raises the number that stands for all settings. The first thing in a transaction that changes endpoints: the fan-out
 * reads it under a shared lock, so that a change falls before a batch of events or behind it, and never into it.
 */
export async function raiseRevision(database: Database, session: SqlSession): Promise<number> {
  await session.query(`update ${database.state} set value = value + 1 where name = 'revision'`)
  const [row] = await session.query(`select value from ${database.state} where name = 'revision'`)
  return database.number(row?.[0])
}

/** The number under a shared lock, which keeps settings as they are until the transaction ends. */
export async function holdRevision(database: Database, session: SqlSession): Promise<number> {
  const [row] = await session.query(
    `select value from ${database.state} where name = 'revision'${database.syntax.lockShared}`,
  )
  return database.number(row?.[0])
}
