import { MigrationError } from '@varve/core'
import type { MigrationDialect, SqlSession } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { migrations } from './generated/migrations.js'
import type { Names } from './names.js'

const tables = [
  'event_streams',
  'events',
  'event_tags',
  'varve_meta',
  'snapshots',
  'process_instances',
  'process_outbox',
  'process_timeouts',
  'v_event_statistics',
  'v_recent_events',
  'projection_checkpoints',
  'projection_leases',
  'parked_events',
]

const placeholder = /'\{\{(\w+)\}\}'|\{\{(\w+)\}\}/g

export function migrationDialect(names: Names): MigrationDialect<Database> {
  const index = (name: string, definition: string): string =>
    `create index if not exists ${names.quoted(name)} on ${names.quoted('events')} ${definition}`
  return {
    files: migrations,
    tables,
    recordTable:
      `create table if not exists ${names.quoted('varve_migrations')} ` +
      '(name text not null primary key, checksum text not null, applied_at integer, duration_ms integer) strict, without rowid',
    indexes: {
      created_by: index(
        'idx_events_created_by',
        '(tenant_id, created_by, position) where created_by is not null',
      ),
      tenant: index('idx_events_tenant', '(tenant_id, position)'),
      stream_type: index('idx_events_stream_type', '(tenant_id, stream_type, position)'),
    },
    // one transaction for all of it: what is killed half-way has not happened, and is run again
    exclusively: (driver, work) =>
      driver.transaction(async (session) => {
        await refuseOtherEncodings(session)
        return work(session)
      }),
    apply: (session, sql) => session.script(sql),
    existing: (session, wanted) => existingTables(session, names, wanted),
    render: (sql) =>
      sql.replace(placeholder, (_, text: string | undefined, name: string | undefined) =>
        text === undefined ? names.quoted(name ?? '') : names.literal(text),
      ),
  }
}

/** Ids are compared byte by byte: in UTF-16 that would be another order than everywhere else. */
async function refuseOtherEncodings(session: SqlSession): Promise<void> {
  const [row] = await session.query('pragma encoding')
  if (row?.[0] === 'UTF-8') return
  throw new MigrationError(
    `The database is encoded in ${String(row?.[0])}; varve needs UTF-8, where text has the same order as on every other engine. ` +
      'Nothing was changed.',
  )
}

/** Of whatever kind: a view or an index bears its name in the same space. SQLite takes no notice of case in them. */
async function existingTables(
  session: SqlSession,
  names: Names,
  wanted: readonly string[],
): Promise<string[]> {
  const rows = await session.query(
    `select lower(name) from sqlite_schema where lower(name) in (select lower(value) from json_each($1))`,
    [JSON.stringify(wanted.map((name) => names.prefix + name))],
  )
  const found = new Set(rows.map(([name]) => String(name)))
  return wanted.filter((name) => found.has((names.prefix + name).toLowerCase()))
}
