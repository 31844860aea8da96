import type { Dialect } from './dialect.js'
import type { SqlRow } from './driver.js'
import { onePart } from './log-parts.js'
import { ofTenant, PROBLEM_ROWS } from './verify-scope.js'
import type { StructureCheck, VerifyScope } from './verify-scope.js'
import { binder } from './where.js'

/**
 * Each head is at its stream's last version, the stream begins with version 1, and both are of one type; unless what is
 * missing was taken out of the log.
 */
export function headCheck(dialect: Dialect, scope: Pick<VerifyScope, 'tenantId'>): StructureCheck {
  const { tenantId } = scope
  const { params, bind } = binder()
  const parts = dialect.parts ?? onePart
  const tenant = (column: string): string =>
    tenantId === undefined ? '' : ` and ${column} = ${bind(tenantId)}`
  const text =
    'select h.tenant_id, h.stream_id, h.version, h.stream_type, ' +
    's.first_version, s.last_version, s.stored_events, s.least_type, s.greatest_type ' +
    `from ${dialect.table('event_streams')} h left join (` +
    'select tenant_id, stream_id, min(version) as first_version, max(version) as last_version, count(*) as stored_events, ' +
    'min(created_at) as first_at, max(created_at) as last_at, ' +
    'min(stream_type) as least_type, max(stream_type) as greatest_type ' +
    `from ${dialect.table('events')} where 1 = 1${tenant('tenant_id')} group by tenant_id, stream_id) s ` +
    'on s.tenant_id = h.tenant_id and s.stream_id = h.stream_id ' +
    `where h.version > 0${tenant('h.tenant_id')} and (` +
    `((s.stored_events is null or s.stored_events <> h.version) and not ${parts.gap('h.created_at', 'h.updated_at')}) ` +
    `or (s.first_version <> 1 and not ${parts.gap('h.created_at', 's.first_at')}) ` +
    `or (s.last_version <> h.version and not ${parts.gap('s.last_at', 'h.updated_at')}) ` +
    'or s.least_type <> h.stream_type or s.greatest_type <> h.stream_type) ' +
    `order by h.tenant_id, h.stream_id limit ${PROBLEM_ROWS}`
  return {
    text,
    params,
    problem: (row) => {
      const version = Number(row[2])
      const detail = ofTenant(scope, row[0] as string, describe(version, row))
      return { kind: 'head', streamId: row[1] as string, version, detail }
    },
  }
}

function describe(version: number, row: SqlRow): string {
  if (row[6] === null) return `the head is at version ${version}, but the stream has no events`
  const [first, last, stored] = [Number(row[4]), Number(row[5]), Number(row[6])]
  if (last !== version) return `the head is at version ${version}, the stream's last event is version ${last}`
  if (first !== 1) return `the stream's first event is version ${first}`
  if (stored !== version) return `the head is at version ${version}, but the stream has ${stored} events`
  const type = row[3] as string
  const other = row[7] === type ? row[8] : row[7]
  return `the head's stream type is '${type}', an event's is '${other as string}'`
}
