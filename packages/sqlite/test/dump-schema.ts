import type { Database } from 'better-sqlite3'

/** The statements that make the schema, in the order in which they were run, and what the planner is told. */
export function dumpSchema(database: Database): string {
  const texts = (sql: string): string[] => database.prepare(sql).pluck().all() as string[]
  const made = texts(
    "select sql || ';' from sqlite_schema where name not like 'sqlite_%' and sql is not null",
  )
  const told = texts(
    "select '  (' || quote(tbl) || ', ' || quote(idx) || ', ' || quote(stat) || ')' from sqlite_stat1 order by tbl, idx",
  )
  return `${made.join('\n\n')}\n\ninsert into sqlite_stat1 (tbl, idx, stat) values\n${told.join(',\n')};\n`
}
