import type { VerifyProblem } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlDriver, SqlRow, SqlValue } from './driver.js'
import { onePart } from './log-parts.js'
import { headCheck } from './verify-heads.js'
import { ofTenant, PROBLEM_ROWS } from './verify-scope.js'
import type { StructureCheck, VerifyScope } from './verify-scope.js'
import { binder } from './where.js'

export function structureChecks(dialect: Dialect, scope: VerifyScope): StructureCheck[] {
  const checks = [versionCheck(dialect, scope), idCheck(dialect, scope), orphanCheck(dialect, scope)]
  return scope.whole ? [...checks, headCheck(dialect, scope)] : checks
}

/** Each version is one above the one before it in its stream, and stands behind it in the log. */
function versionCheck(dialect: Dialect, scope: VerifyScope): StructureCheck {
  const { params, where } = range(scope)
  const parts = dialect.parts ?? onePart
  const before = 'over (partition by tenant_id, stream_id order by version, position)'
  const text =
    'select tenant_id, stream_id, version, position, previous_version, previous_position from (' +
    'select tenant_id, stream_id, version, position, ' +
    `lag(version) ${before} as previous_version, lag(position) ${before} as previous_position, ` +
    `created_at, lag(created_at) ${before} as previous_at ` +
    `from ${dialect.table('events')} where ${where}) steps ` +
    `where (version <> previous_version + 1 and not (version > previous_version and ${parts.gap('previous_at', 'created_at')})) ` +
    'or position <= previous_position ' +
    `order by position limit ${PROBLEM_ROWS}`
  return {
    text,
    params,
    problem: eventProblem(scope, 'version-gap', (version, row) => {
      const [previous, position] = [Number(row[4]), Number(row[5])]
      if (version === previous) return `version ${version} is there twice, also at position ${position}`
      if (version === previous + 1)
        return `version ${previous} stands behind it in the log, at position ${position}`
      if (version === previous + 2) return `version ${previous + 1} is missing before it`
      return `versions ${previous + 1} to ${version - 1} are missing before it`
    }),
  }
}

/** No id is there twice in a tenant. */
function idCheck(dialect: Dialect, scope: VerifyScope): StructureCheck {
  const { params, where } = range(scope)
  const text =
    'select tenant_id, stream_id, version, position, previous_position from (' +
    'select tenant_id, stream_id, version, position, ' +
    'lag(position) over (partition by tenant_id, event_id order by position) as previous_position ' +
    `from ${dialect.table('events')} where ${where}) ids ` +
    `where previous_position is not null order by position limit ${PROBLEM_ROWS}`
  return {
    text,
    params,
    problem: eventProblem(scope, 'duplicate-id', (_, row) => {
      return `the event at position ${Number(row[4])} has the same id`
    }),
  }
}

/** Each event's stream has a head. */
function orphanCheck(dialect: Dialect, scope: VerifyScope): StructureCheck {
  const { params, where } = range(scope)
  const text =
    `select tenant_id, stream_id, version, position from ${dialect.table('events')} e ` +
    `where ${where} and not exists (select 1 from ${dialect.table('event_streams')} h ` +
    'where h.tenant_id = e.tenant_id and h.stream_id = e.stream_id and h.version > 0) ' +
    `order by position limit ${PROBLEM_ROWS}`
  return {
    text,
    params,
    problem: eventProblem(scope, 'orphan', () => 'its stream has no head in event_streams'),
  }
}

/** Of a row that begins with tenant, stream, version and position. Numbers beyond the safe ones are a finding, no failure. */
function eventProblem(
  scope: VerifyScope,
  kind: VerifyProblem['kind'],
  detail: (version: number, row: SqlRow) => string,
): StructureCheck['problem'] {
  return (row) => {
    const version = Number(row[2])
    return {
      kind,
      streamId: row[1] as string,
      version,
      position: Number(row[3]),
      detail: ofTenant(scope, row[0] as string, detail(version, row)),
    }
  }
}

/** Streams that the range touches. */
export async function countStreams(driver: SqlDriver, dialect: Dialect, scope: VerifyScope): Promise<number> {
  const { params, where } = range(scope)
  const text =
    'select count(*) from (' +
    `select 1 from ${dialect.table('events')} where ${where} group by tenant_id, stream_id) touched`
  const [row] = await dialect.patiently(driver, (session) => session.query(text, params))
  return dialect.decode.number(row?.[0])
}

function range({ tenantId, after, until }: VerifyScope): { params: readonly SqlValue[]; where: string } {
  const { params, bind } = binder()
  const where = [`position > ${bind(after)}`, `position <= ${bind(until)}`]
  if (tenantId !== undefined) where.push(`tenant_id = ${bind(tenantId)}`)
  return { params, where: where.join(' and ') }
}
