import type { SqlDriver } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { numberOf } from './classify.js'
import { coreOf, run } from './run.js'
import type { Core } from './run.js'

const UNKNOWN_THREAD = 1094

/** Both terms are cut to seconds. */
const TOLERANCE_SECONDS = 2

// numbers of connections begin anew with the server
const startedAt =
  'select unix_timestamp() - variable_value from /*!80000 performance_schema.global_status *//*M! information_schema.global_status */ ' +
  `where variable_name = 'Uptime'`

const names = new WeakMap<Core, string>()

/** Asks, once per connection, what makes up its name. Where the server does not say, the connection has none. */
export async function learnName(core: Core, deadlineMs: number): Promise<void> {
  const { rows } = await run(core, { prepared: false, inlined: true, deadlineMs }, startedAt, [])
  const started = rows[0]?.[0]
  if (started === undefined || started === null) return
  names.set(core, `${core.threadId}/${Math.round(Number(started))}/${core.config.user ?? ''}`)
}

/** Of a connection of the store's: its number, when the server was started, the user. */
export function nameOf(client: Connection): string {
  return names.get(coreOf(client)) ?? ''
}

/** Ends the connection of that name, if it is still there and is still the same. */
export async function evict(driver: SqlDriver<Connection>, name: string): Promise<void> {
  const [, id, started, user] = /^(\d+)\/(\d+)\/(.*)$/s.exec(name) ?? []
  if (id === undefined || started === undefined || user === undefined) return
  const [now] = await driver.query(startedAt)
  if (Math.abs(Number(now?.[0]) - Number(started)) > TOLERANCE_SECONDS) return
  const there = 'select 1 from information_schema.processlist where id = $1 and user = $2'
  if ((await driver.query(there, [id, user])).length === 0) return
  try {
    await driver.session((session) => session.script(`kill ${id}`))
  } catch (error) {
    if (numberOf(error) !== UNKNOWN_THREAD) throw error
  }
}
