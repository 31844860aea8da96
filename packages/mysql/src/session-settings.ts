import { InvalidArgumentError } from '@varve/core'
import { learnName } from './connection-name.js'
import { run, runText } from './run.js'
import type { Core } from './run.js'

/** Of the next transaction, whatever the session's default is. */
export const READ_COMMITTED = 'set transaction isolation level read committed'

export const OPEN_MAINTENANCE = 'set @varve_maintenance = 1'
export const CLOSE_MAINTENANCE = 'set @varve_maintenance = null'

// each server takes the comment that is meant for it
const limit = '/*!80000 max_execution_time *//*M! max_statement_time */'
const current = '/*!80000 @@session.max_execution_time *//*M! @@session.max_statement_time */'
export const LIFT_LIMITS = `set @varve_limit = ${current}, session ${limit} = 0`
export const RESTORE_LIMITS = `set session ${limit} = @varve_limit`

/** Sees to it, once per connection, that statements mean what they say. */
export class SessionSettings {
  readonly #seen = new WeakSet<Core>()
  readonly #deadlineMs: number
  readonly #apply: (core: Core) => Promise<unknown>

  /** @param deadlineMs of the look at a connection */
  constructor(owned: boolean, statementTimeoutMs: number, deadlineMs: number) {
    this.#deadlineMs = deadlineMs
    const statement = settingsOf(statementTimeoutMs)
    this.#apply = (core) => (owned ? runText(core, deadlineMs, statement) : refuseUnfit(core, deadlineMs))
  }

  async apply(core: Core): Promise<void> {
    if (this.#seen.has(core)) return
    await this.#apply(core)
    await learnName(core, this.#deadlineMs)
    this.#seen.add(core)
  }
}

function settingsOf(timeoutMs: number): string {
  const all = [
    `sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')`,
    'autocommit = 1',
    'completion_type = NO_CHAIN',
  ]
  const mysql = [`transaction_isolation = 'READ-COMMITTED'`]
  const mariadb = [`tx_isolation = 'READ-COMMITTED'`]
  if (timeoutMs > 0) {
    // before the limit of the whole statement, so that the server says what it waited for
    all.push(`innodb_lock_wait_timeout = ${Math.max(1, Math.floor(timeoutMs / 1000) - 1)}`)
    mysql.push(`max_execution_time = ${timeoutMs}`)
    mariadb.push(`max_statement_time = ${timeoutMs / 1000}`)
  }
  return `set session ${all.join(', ')} /*!80000 , ${mysql.join(', ')} *//*M! , ${mariadb.join(', ')} */`
}

/** The settings of the caller's connections stay as they are; some cannot be worked with. */
async function refuseUnfit(core: Core, deadlineMs: number): Promise<void> {
  const look =
    'select @@autocommit, @@character_set_client, @@character_set_results, @@completion_type, ' +
    '/*!80000 @@session.transaction_isolation *//*M! @@session.tx_isolation */'
  const { rows } = await run(core, { prepared: false, inlined: true, deadlineMs }, look, [])
  const [autocommit, client, results, completion, isolation] = rows[0] ?? []
  if (Number(autocommit) !== 1) {
    throw new InvalidArgumentError(
      'pool',
      'its connections have autocommit off, so that nothing of the store would be committed',
    )
  }
  if (completion !== 'NO_CHAIN') {
    throw new InvalidArgumentError(
      'pool',
      `its connections have completion_type ${String(completion)}, so that a commit would begin the next transaction, or be the last`,
    )
  }
  if (isolation === 'READ-UNCOMMITTED') {
    throw new InvalidArgumentError(
      'pool',
      'its connections read what is not committed, so that events would be seen that are rolled back',
    )
  }
  if (client !== 'utf8mb4' || results !== 'utf8mb4') {
    throw new InvalidArgumentError(
      'pool',
      `its connections speak ${String(client)}, which not every text fits; create it with charset: 'utf8mb4'`,
    )
  }
}
