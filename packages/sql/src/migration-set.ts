import { InvalidArgumentError } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'

/** Migrations that are recorded and judged together: the store's own, or an extension's. */
export interface MigrationSet {
  /** Of the extension; absent for the store's own. Stands before the names of its records: `webhooks/0001_jobs`. */
  readonly name?: string
  /** In the order in which they run. */
  readonly migrations: readonly Migration[]
  /** The tables that they create, as `dialect.table` takes them. */
  readonly tables: readonly string[]
}

/** Where migrations are recorded. */
export const RECORD_TABLE = 'varve_migrations'

/** Names the records of optional indexes, so no extension may bear it. */
const INDEX_SET = 'index'

export function ownSet(dialect: Dialect): MigrationSet {
  const { files, tables } = dialect.migration
  return { migrations: files, tables: tables.filter((table) => table !== RECORD_TABLE) }
}

/** @throws InvalidArgumentError for an extension's name that could be taken for something else. */
export function checkSetName(name: string): void {
  if (/^[a-z][a-z0-9_-]{0,62}$/.test(name) && name !== INDEX_SET) return
  throw new InvalidArgumentError(
    'extension.name',
    `'${name}' cannot name a set of migrations; take lower-case letters, digits, - and _, beginning with a letter` +
      `, and not '${INDEX_SET}'`,
  )
}

/** The name under which a migration of the set is recorded. */
export function recordName(set: MigrationSet, name: string): string {
  return set.name === undefined ? name : `${set.name}/${name}`
}

/** The name under which an optional index is recorded. */
export function indexRecordName(index: string): string {
  return `${INDEX_SET}/${index}`
}

/** Whether a record is of this set. */
export function isOfSet(set: MigrationSet, recorded: string): boolean {
  return set.name === undefined ? !recorded.includes('/') : recorded.startsWith(`${set.name}/`)
}

/** Those of the set's tables that a migration creates, as far as its text tells. */
export function tablesCreatedBy(migration: Migration, tables: readonly string[]): string[] {
  const statements = migration.sql.matchAll(/\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?([^\s(]+)/gi)
  const created = new Set([...statements].map(([, name]) => /(\w+)\W*$/.exec(name ?? '')?.[1]))
  return tables.filter((table) => created.has(table))
}
