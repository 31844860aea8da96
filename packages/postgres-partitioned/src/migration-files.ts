import type { Migration } from '@varve/sql'
import { migrations } from './generated/migrations.js'

/**
 * Our own files, and of the simple schema's those that come after its first one: tables beside `events` are the same for
 * both. Where a later one touches `events` in a way that does not fit partitions, a file of the same name here replaces it.
 */
export function migrationFiles(simple: readonly Migration[]): readonly Migration[] {
  const own = new Set(migrations.map(({ name }) => name))
  return [...migrations, ...simple.filter(({ name }) => !own.has(name))].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}
