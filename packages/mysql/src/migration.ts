import { MigrationError } from '@varve/core'
import type { MigrationDialect, SqlSession } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { numberOf } from './classify.js'
import type { MysqlDriver } from './driver.js'
import { migrations } from './generated/migrations.js'
import type { Names } from './names.js'
import { statementsOf } from './script.js'
import { familyOf } from './server.js'

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

const placeholder = /\{\{(\w+)\}\}/g
const WAIT_SECONDS = 60
// ends no statement by itself
const END = '//end-of-statement//'

const DUPLICATE_KEY_NAME = 1061
const NEEDS_SUPER = 1419

export function migrationDialect(driver: MysqlDriver, names: Names): MigrationDialect<Connection> {
  const index = (name: string, columns: string): string =>
    `create index ${name} on ${names.quoted('events')} (${columns})`
  return {
    files: migrations,
    tables,
    recordTable:
      `create table if not exists ${names.quoted('varve_migrations')} (` +
      'name varchar(255) not null, checksum char(64) character set ascii collate ascii_bin not null, ' +
      'applied_at datetime(6), duration_ms int, primary key (name)' +
      ') engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin',
    indexes: {
      created_by: index('idx_events_created_by', 'tenant_id, created_by, position'),
      tenant: index('idx_events_tenant', 'tenant_id, position'),
      stream_type: index('idx_events_stream_type', 'tenant_id, stream_type, position'),
    },
    exclusively: (_, work) => driver.patiently((session) => withLock(session, names, work)),
    apply: async (session, sql) => {
      const family = await familyOf(session)
      for (const statement of statementsOf(sql)) {
        await applyStatement(session, family === 'mariadb' ? forMariadb(statement) : statement)
      }
    },
    existing: (session, wanted) => existingTables(session, names, wanted),
    render: (sql) => sql.replace(placeholder, (_, name: string) => names.quoted(name)),
  }
}

/** The same collation has another name there. */
function forMariadb(statement: string): string {
  return statement.replaceAll('utf8mb4_0900_bin', 'utf8mb4_nopad_bin')
}

/** A lock of the server's, by a name for this database and prefix; it goes with the connection. */
async function withLock<T>(
  session: SqlSession<Connection>,
  names: Names,
  work: (session: SqlSession<Connection>) => Promise<T>,
): Promise<T> {
  const name = `concat('varve/', left(sha2(concat(database(), '/', $1), 256), 40))`
  for (;;) {
    const [row] = await session.query(`select get_lock(${name}, ${WAIT_SECONDS}), database()`, [names.prefix])
    if (row?.[1] === null) throw new MigrationError('The connection has no database: name one in its URL.')
    if (Number(row?.[0]) === 1) break
  }
  try {
    return await work(session)
  } finally {
    await session.query(`select release_lock(${name})`, [names.prefix])
  }
}

async function applyStatement(session: SqlSession, statement: string): Promise<void> {
  try {
    await session.script(`delimiter ${END}\n${statement}${END}`)
  } catch (error) {
    const number = numberOf(error)
    // MySQL has no "if not exists" for indexes
    if (number === DUPLICATE_KEY_NAME && /^create\s+(?:unique\s+)?index\b/i.test(statement)) return
    if (number !== NEEDS_SUPER) throw error
    throw new MigrationError(
      'The server writes a binary log, and lets only accounts with the SUPER privilege create triggers then. ' +
        'Have an administrator run: set global log_bin_trust_function_creators = 1; ' +
        'or migrate once as an account that has it, and call migrate() again: it goes on where it stopped.',
      error,
    )
  }
}

async function existingTables(
  session: SqlSession,
  names: Names,
  wanted: readonly string[],
): Promise<string[]> {
  const rows = await session.query(
    'select table_name, @@lower_case_table_names from information_schema.tables where table_schema = database()',
  )
  const folded = Number(rows[0]?.[1] ?? 0) > 0
  const fold = (name: string): string => (folded ? name.toLowerCase() : name)
  const found = new Set(rows.map(([name]) => fold(String(name))))
  return wanted.filter((name) => found.has(fold(names.prefix + name)))
}
