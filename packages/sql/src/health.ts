import { isEventStoreError } from '@varve/core'
import type { HealthReport, MigrationState } from '@varve/core'
import type { Dialect } from './dialect.js'
import { checkProjections } from './consume/projection-health.js'
import type { SqlDriver, SqlFailure } from './driver.js'
import { migrationStates } from './migrate.js'

type Check = HealthReport['checks'][number]

/** How long an append may keep readers waiting before that is worth a look. */
const SLOW_APPEND_MS = 5_000

/** A server that does not answer at all must not keep the caller waiting. */
const ANSWER_WITHIN_MS = 5_000

/** Looks at the connection, the migrations, what readers wait for, and what the engine has to add. Never throws. */
export async function health(driver: SqlDriver, dialect: Dialect): Promise<HealthReport> {
  const connection = await guarded(driver, 'connection', 'down', () => checkConnection(driver))
  if (connection.some(({ status }) => status === 'down')) return report(connection)
  const others = await Promise.all([
    guarded(driver, 'migrations', 'degraded', async () =>
      checkMigrations(await migrationStates({ driver, dialect })),
    ),
    guarded(driver, 'settled', 'degraded', () => checkSettled(dialect)),
    guarded(driver, 'projections', 'degraded', async () => {
      try {
        return await checkProjections((...statement) => driver.query(...statement), dialect)
      } catch (error) {
        // missing tables are told of under migrations
        if (driver.classify(error).kind === 'schema') return []
        throw error
      }
    }),
    guarded(driver, 'database', 'degraded', () => dialect.health(driver)),
  ])
  return report([...connection, ...others.flat()])
}

async function checkConnection(driver: SqlDriver): Promise<Check[]> {
  const started = performance.now()
  await driver.query('select 1')
  const took = (performance.now() - started).toFixed(1)
  return [{ name: 'connection', status: 'ok', detail: `the database answered in ${took} ms` }]
}

function checkMigrations(states: readonly MigrationState[]): Check[] {
  const named = (state: MigrationState['state']) =>
    states.filter((migration) => migration.state === state).map(({ name }) => name)
  const [unknown, changed, pending] = [named('unknown'), named('changed'), named('pending')]
  const problems = [
    unknown.length > 0 && `the database is newer than this code, it has ${unknown.join(', ')}`,
    changed.length > 0 && `${changed.join(', ')} was applied from another text than the one shipped`,
    pending.length > 0 && `${pending.join(', ')} not applied: call store.migrate()`,
  ].filter((problem) => problem !== false)
  if (problems.length > 0) return [{ name: 'migrations', status: 'degraded', detail: problems.join('; ') }]
  return [{ name: 'migrations', status: 'ok', detail: `${states.length} applied` }]
}

async function checkSettled({ settled: source }: Dialect): Promise<Check[]> {
  let state = await source.look()
  // looking longer, if only for no time at all, names who is in the way
  if (state.settled < state.high) state = await source.beyond(state.settled, 0)
  const { settled, high, blocker } = state
  const upTo = settled < high ? `settled up to ${settled} of ${high}` : `settled up to ${settled}`
  if (blocker?.ageMs === undefined || blocker.ageMs < SLOW_APPEND_MS) {
    return [{ name: 'settled', status: 'ok', detail: upTo }]
  }
  const detail = `${upTo}: readers wait for a transaction that has appended and stays open (${blocker.detail}); end it`
  return [{ name: 'settled', status: 'degraded', detail }]
}

/** A check that fails is a finding. Of a driver's error it tells only the kind: its words may hold a connection string. */
async function guarded(
  driver: SqlDriver,
  name: string,
  status: Check['status'],
  check: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Check[]>((resolve) => {
    const detail = `no answer within ${ANSWER_WITHIN_MS} ms`
    timer = setTimeout(() => resolve([{ name, status, detail }]), ANSWER_WITHIN_MS)
  })
  try {
    return await Promise.race([check(), late])
  } catch (error) {
    return [{ name, status, detail: `the check failed (${kindOf(driver, error)})` }]
  } finally {
    clearTimeout(timer)
  }
}

function kindOf(driver: SqlDriver, error: unknown): string {
  if (isEventStoreError(error)) return error.message
  const words: Record<SqlFailure['kind'], string> = {
    unreachable: 'the database cannot be reached',
    lost: 'the connection was lost',
    conflict: 'the database ended the transaction',
    timeout: 'the database did not answer in time',
    unique: 'the database refused the statement',
    schema: 'tables are missing: call store.migrate()',
    other: 'the database refused the statement',
  }
  return words[driver.classify(error).kind]
}

function report(checks: readonly Check[]): HealthReport {
  const has = (status: Check['status']) => checks.some((check) => check.status === status)
  return { status: has('down') ? 'down' : has('degraded') ? 'degraded' : 'ok', checks }
}
