import { checksumOf } from '@varve/core'
import type { RecordedEvent, ResolvedVerify, VerifyProblem, VerifyReport } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlDriver, SqlRow } from './driver.js'
import { PageSize } from './event-read.js'
import type { Query } from './read-access.js'
import { eventDecoder } from './rows.js'
import { Findings } from './verify-findings.js'
import { ofTenant } from './verify-scope.js'
import type { VerifyScope } from './verify-scope.js'
import { countStreams, structureChecks } from './verify-structure.js'
import { binder } from './where.js'

export interface VerifyContext {
  readonly driver: SqlDriver
  readonly dialect: Dialect
  readonly lifecycle: {
    readonly query: Query
    run<T>(operation: string, work: () => Promise<T>): Promise<T>
  }
}

/**
 * Re-reads the events of a range, of one tenant or (`undefined`) of all, and recomputes their checksums; then has the
 * database compare versions, ids and heads, each in one statement, so that appends meanwhile raise no false alarm.
 * What the signal or `onProgress` throw comes out unchanged.
 */
export async function verify(
  context: VerifyContext,
  tenantId: string | undefined,
  options: ResolvedVerify,
): Promise<VerifyReport> {
  const { driver, dialect, lifecycle } = context
  const { after, signal } = options
  signal?.throwIfAborted()
  const high = await highestPosition(context, tenantId)
  const scope: VerifyScope = {
    tenantId,
    after,
    until: Math.min(options.until, high),
    whole: after === 0 && options.until >= high,
  }
  const findings = new Findings()
  const events = await verifyPages(context, scope, options, findings)
  for (const check of structureChecks(dialect, scope)) {
    signal?.throwIfAborted()
    const patient = () =>
      dialect.patiently(driver, (session) => session.query(check.text, check.params, check.problem))
    for (const problem of await lifecycle.run('verify', patient)) findings.add(problem)
  }
  signal?.throwIfAborted()
  const streams = await lifecycle.run('verify', () => countStreams(driver, dialect, scope))
  const problems = findings.list()
  return { ok: problems.length === 0, events, streams, problems }
}

async function highestPosition(
  { dialect, lifecycle }: VerifyContext,
  tenantId: string | undefined,
): Promise<number> {
  const where = tenantId === undefined ? '' : 'where tenant_id = $1 '
  const text = `select position from ${dialect.table('events')} ${where}order by position desc limit 1`
  const [row] = await lifecycle.query(text, tenantId === undefined ? [] : [tenantId])
  return row === undefined ? 0 : dialect.decode.number(row[0])
}

interface Checked {
  readonly position: number
  readonly bytes: number
  readonly problem: VerifyProblem | undefined
}

/** Gives the number of events read. */
async function verifyPages(
  { dialect, lifecycle }: VerifyContext,
  scope: VerifyScope,
  { onProgress, signal }: ResolvedVerify,
  findings: Findings,
): Promise<number> {
  const check = eventCheck(dialect, scope)
  const size = new PageSize()
  let [events, position] = [0, scope.after]
  while (position < scope.until) {
    const { params, bind } = binder()
    const where = [`position > ${bind(position)}`, `position <= ${bind(scope.until)}`]
    if (scope.tenantId !== undefined) where.push(`tenant_id = ${bind(scope.tenantId)}`)
    const asked = size.within(Number.MAX_SAFE_INTEGER)
    const text =
      `select ${dialect.eventColumns} from ${dialect.table('events')} ` +
      `where ${where.join(' and ')} order by position limit ${bind(asked)}`
    const page = await lifecycle.query(text, params, check)
    let bytes = 0
    for (const checked of page) {
      position = checked.position
      bytes += checked.bytes
      if (checked.problem !== undefined) findings.add(checked.problem)
    }
    events += page.length
    if (page.length > 0) onProgress?.({ events, position })
    signal?.throwIfAborted()
    if (page.length < asked) break
    size.next(page.length, bytes)
  }
  return events
}

/** Checks a row as it arrives, so that a page holds no events. */
function eventCheck(dialect: Dialect, scope: VerifyScope): (row: SqlRow) => Checked {
  const decode = eventDecoder(dialect.decode)
  return (row) => {
    const problem = (place: { version?: number; position: number }, detail: string): VerifyProblem => ({
      kind: 'checksum',
      streamId: row[2] as string,
      ...place,
      detail: ofTenant(scope, row[1] as string, detail),
    })
    let event: RecordedEvent
    try {
      event = decode(row)
    } catch (error) {
      const position = dialect.decode.number(row[0])
      const detail = error instanceof Error ? error.message : String(error)
      return { position, bytes: 0, problem: problem({ position }, detail) }
    }
    const { version, position, sizeBytes: bytes } = event
    const detail = contentProblem(event)
    return {
      position,
      bytes,
      problem: detail === undefined ? undefined : problem({ version, position }, detail),
    }
  }
}

function contentProblem(event: RecordedEvent): string | undefined {
  let checksum: string
  try {
    checksum = checksumOf(event)
  } catch (error) {
    return `no checksum can be taken of it: ${error instanceof Error ? error.message : String(error)}`
  }
  if (checksum !== event.checksum)
    return `the event's checksum is ${checksum}, stored with it is ${event.checksum}`
  const bytes = Buffer.byteLength(JSON.stringify(event.data))
  if (bytes !== event.sizeBytes) return `its data has ${bytes} bytes, stored with it is ${event.sizeBytes}`
  return undefined
}
