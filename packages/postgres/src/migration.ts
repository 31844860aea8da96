import type { MigrationDialect, SqlSession } from '@varve/sql'
import type pg from 'pg'
import { migrations } from './generated/migrations.js'
import type { PgDriver } from './driver.js'
import type { Names } from './names.js'

const tables = [
  'event_streams',
  'events',
  'varve_meta',
  'snapshots',
  'process_instances',
  'process_outbox',
  'process_timeouts',
  'projection_checkpoints',
  'projection_leases',
  'parked_events',
]

/** Any name in braces is one of the schema's, but for `data_type` and `schema`; behind a single quote it stands in a literal. */
const placeholder = /('?)\{\{(\w+)\}\}/g

export function migrationDialect(driver: PgDriver, names: Names): MigrationDialect<pg.PoolClient> {
  const on = (table: string): string => `${names.schema}."${table}"`
  const index = (name: string, definition: string): string =>
    `create index if not exists ${name} on ${names.events} ${definition}`
  return {
    files: migrations,
    tables,
    recordTable: recordTable(names, on),
    indexes: {
      tags: index('idx_events_tags', 'using gin (tags)'),
      metadata: index('idx_events_metadata', 'using gin (metadata jsonb_path_ops)'),
      data: index('idx_events_data', 'using gin ((event_data::jsonb) jsonb_path_ops)'),
      created_by: index(
        'idx_events_created_by',
        '(tenant_id, created_by, position) where created_by is not null',
      ),
      tenant: index('idx_events_tenant', '(tenant_id, position)'),
      stream_type: index('idx_events_stream_type', '(tenant_id, stream_type, position)'),
    },
    // one transaction for all of it: what is killed half-way has not happened, and is run again
    exclusively: (_, work) =>
      driver.patiently(async (session) => {
        await session.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [
          `varve migrations of ${names.schema}`,
        ])
        return work(session)
      }),
    apply: (session, sql) => session.script(sql),
    existing: (session, wanted) => existingTables(session, names, wanted),
    render: (sql) =>
      sql.replace(placeholder, (_, quote: string, name: string) => {
        const text = name === 'data_type' ? names.dataType : name === 'schema' ? names.schema : on(name)
        return quote === '' ? text : quote + text.replaceAll("'", "''")
      }),
  }
}

function recordTable(names: Names, on: (table: string) => string): string {
  // creating what exists needs a right that an application's role may not have
  return `
do $varve$
begin
  if to_regnamespace('${names.schema.replaceAll("'", "''")}') is null then
    create schema ${names.schema};
  end if;
  if to_regclass('${on('varve_migrations').replaceAll("'", "''")}') is null then
    create table ${on('varve_migrations')} (
      name text collate "C" not null,
      checksum text not null,
      applied_at timestamptz,
      duration_ms integer,
      constraint varve_migrations_pkey primary key (name)
    );
  end if;
end
$varve$`
}

async function existingTables(
  session: SqlSession,
  names: Names,
  wanted: readonly string[],
): Promise<string[]> {
  const found: string[] = []
  for (const table of wanted) {
    const [row] = await session.query('select to_regclass($1)', [`${names.schema}."${table}"`])
    if (row?.[0] !== null) found.push(table)
  }
  return found
}
