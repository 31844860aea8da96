import { checksumOf } from '@varve/core'
import type { RecordedEvent, VerifyProblem } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlRow } from './driver.js'
import { PageSize } from './event-read.js'
import { onePart } from './log-parts.js'
import type { ReadAccess } from './read-access.js'
import { eventDecoder } from './rows.js'
import type { Findings } from './verify-findings.js'
import { ofTenant } from './verify-scope.js'
import type { VerifyScope } from './verify-scope.js'
import { binder } from './where.js'

interface Checked {
  readonly position: number
  readonly bytes: number
  readonly problem: VerifyProblem | undefined
}

/** Re-reads the events page by page and recomputes their checksums. Gives the number of events read. */
export async function verifyEvents(
  dialect: Dialect,
  access: ReadAccess,
  scope: VerifyScope,
  onPage: (events: number, position: number) => void,
  findings: Findings,
): Promise<number> {
  const { parts = onePart } = dialect
  const check = eventCheck(dialect, scope)
  const size = new PageSize()
  let [events, position] = [0, scope.after]
  while (position < scope.until) {
    const after = position
    const stretch = await access.run(() =>
      parts.stretch({ after, until: scope.until, direction: 'forwards' }),
    )
    if (stretch.gone !== undefined) {
      position = stretch.until
      continue
    }
    const { params, bind } = binder()
    const where = [`position > ${bind(after)}`, `position <= ${bind(stretch.until)}`]
    const part = stretch.where(bind)
    if (part !== '') where.push(part)
    if (scope.tenantId !== undefined) where.push(`tenant_id = ${bind(scope.tenantId)}`)
    const asked = size.within(Number.MAX_SAFE_INTEGER)
    const text =
      `select ${dialect.eventColumns} from ${dialect.table('events')} ` +
      `where ${where.join(' and ')} order by position limit ${bind(asked)}`
    const page = await access.query(text, params, check)
    let bytes = 0
    for (const checked of page) {
      position = checked.position
      bytes += checked.bytes
      if (checked.problem !== undefined) findings.add(checked.problem)
    }
    events += page.length
    if (page.length > 0) onPage(events, position)
    if (page.length === 0 && (await access.run(() => parts.changed(stretch)))) continue
    if (page.length < asked) position = stretch.until
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
