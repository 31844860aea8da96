import type { Snapshot, SnapshotCoverage } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlRow, SqlValue } from './driver.js'
import { binder } from './where.js'

interface Statement {
  readonly text: string
  readonly params: readonly SqlValue[]
}

interface Chosen {
  readonly tenantId: string
  readonly streamId?: string | undefined
  readonly snapshotType?: string | undefined
  readonly version?: number | undefined
}

/** The statements about snapshots, written once for all engines. */
export type SnapshotStatements = ReturnType<typeof snapshotStatements>

const keyColumns = 'tenant_id, stream_id, snapshot_type, version'

export function snapshotStatements<Client>(dialect: Dialect<Client>) {
  const { decode } = dialect
  const snapshots = dialect.table('snapshots')
  const streams = dialect.table('event_streams')
  const columns =
    's.tenant_id, s.stream_id, s.snapshot_type, s.version, s.schema_version, s.state, ' +
    dialect.time('s.created_at')
  // a snapshot beyond the end of its stream, from which events were taken away, is of no use
  const from =
    `from ${snapshots} s join ${streams} h ` +
    'on h.tenant_id = s.tenant_id and h.stream_id = s.stream_id and h.version >= s.version '
  const newest = (more: string): string =>
    `select ${columns} ${from}where s.tenant_id = $1 and s.stream_id = $2 and s.snapshot_type = $3 ` +
    `and s.version <= $4${more} order by s.version desc limit 1`

  return {
    number: (value: unknown): number => decode.number(value),

    // of the head, so that a stream that is not as far gets none
    save: dialect.saveSnapshot(
      snapshots,
      `${keyColumns}, schema_version, state, created_at`,
      `select h.tenant_id, h.stream_id, $3, $4, $5, $6, ${dialect.now} from ${streams} h ` +
        'where h.tenant_id = $1 and h.stream_id = $2 and h.version >= $4 and not exists (' +
        `select 1 from ${snapshots} n where n.tenant_id = $1 and n.stream_id = $2 and n.snapshot_type = $3 ` +
        'and n.version > $4 and n.schema_version >= $5)',
    ),
    saved:
      `select schema_version from ${snapshots} ` +
      'where tenant_id = $1 and stream_id = $2 and snapshot_type = $3 and version = $4',
    head: `select version from ${streams} where tenant_id = $1 and stream_id = $2 and version > 0`,
    trim:
      `delete from ${snapshots} where tenant_id = $1 and stream_id = $2 and snapshot_type = $3 and version < ` +
      `(select version from (select min(version) as version from (select version from ${snapshots} ` +
      'where tenant_id = $1 and stream_id = $2 and snapshot_type = $3 order by version desc limit $4) newest) oldest)',
    newest: newest(''),
    newestOfSchema: newest(' and s.schema_version = $5'),

    list(chosen: Chosen, limit: number): Statement {
      const { params, where, bind } = conditions(chosen, 's.')
      const order = 'order by s.version desc, s.snapshot_type'
      return { text: `select ${columns} ${from}where ${where} ${order} limit ${bind(limit)}`, params }
    },

    count(chosen: Chosen): Statement {
      const { params, where } = conditions(chosen)
      return { text: `select count(*) from ${snapshots} where ${where}`, params }
    },

    delete(chosen: Chosen): Statement {
      const { params, where } = conditions(chosen)
      return { text: `delete from ${snapshots} where ${where}`, params }
    },

    prune(
      chosen: Chosen & { olderThan: Date | undefined },
      keep: number,
    ): { counting: string; deleting: string; params: readonly SqlValue[] } {
      const { params, where, bind } = conditions(chosen)
      const place =
        'row_number() over (partition by tenant_id, stream_id, snapshot_type order by version desc) as place'
      const { olderThan } = chosen
      const older = olderThan === undefined ? '' : ` and created_at < ${bind(dialect.filter.time(olderThan))}`
      const ranked = `(select ${keyColumns}, created_at, ${place} from ${snapshots} where ${where}) ranked where place > ${bind(keep)}${older}`
      return {
        counting: `select count(*) from ${ranked}`,
        deleting: `delete from ${snapshots} where (${keyColumns}) in (select ${keyColumns} from ${ranked})`,
        params,
      }
    },

    coverage(
      tenantId: string,
      chosen: {
        moreThan: number
        streamTypes: readonly string[] | undefined
        snapshotType: string
        limit: number
      },
    ): Statement {
      const { params, bind } = binder()
      const latest = 'coalesce(max(s.version), 0)'
      const type = bind(chosen.snapshotType)
      const where = [
        `h.tenant_id = ${bind(tenantId)}`,
        `h.version > ${bind(chosen.moreThan)}`,
        'h.archived_at is null',
      ]
      if (chosen.streamTypes !== undefined) {
        where.push(dialect.filter.anyOf('h.stream_type', chosen.streamTypes, bind))
      }
      const text =
        `select h.stream_id, h.stream_type, h.version, ${latest} from ${streams} h left join ${snapshots} s ` +
        `on s.tenant_id = h.tenant_id and s.stream_id = h.stream_id and s.snapshot_type = ${type} ` +
        `where ${where.join(' and ')} group by h.stream_id, h.stream_type, h.version ` +
        `having h.version - ${latest} > ${bind(chosen.moreThan)} ` +
        `order by h.version - ${latest} desc, h.stream_id limit ${bind(chosen.limit)}`
      return { text, params }
    },

    decode: (row: SqlRow): Snapshot => ({
      tenantId: row[0] as string,
      streamId: row[1] as string,
      snapshotType: row[2] as string,
      version: decode.number(row[3]),
      schemaVersion: decode.number(row[4]),
      state: decode.json(row[5]),
      createdAt: decode.time(row[6]),
    }),

    decodeCoverage: (row: SqlRow): SnapshotCoverage => {
      const [version, snapshotVersion] = [decode.number(row[2]), decode.number(row[3])]
      return {
        streamId: row[0] as string,
        streamType: row[1] as string,
        version,
        snapshotVersion,
        eventsSinceSnapshot: version - snapshotVersion,
      }
    },
  }
}

function conditions(chosen: Chosen, table = '') {
  const { params, bind } = binder()
  const where = [`${table}tenant_id = ${bind(chosen.tenantId)}`]
  if (chosen.streamId !== undefined) where.push(`${table}stream_id = ${bind(chosen.streamId)}`)
  if (chosen.snapshotType !== undefined) where.push(`${table}snapshot_type = ${bind(chosen.snapshotType)}`)
  if (chosen.version !== undefined) where.push(`${table}version = ${bind(chosen.version)}`)
  return { params, bind, where: where.join(' and ') }
}

/** `Dialect.saveSnapshot` for engines with ON CONFLICT. */
export function saveOnConflict(table: string, columns: string, select: string): string {
  return (
    `insert into ${table} as stored (${columns}) ${select} on conflict (${keyColumns}) do update set ` +
    'schema_version = excluded.schema_version, state = excluded.state, created_at = excluded.created_at ' +
    'where stored.schema_version <= excluded.schema_version'
  )
}
