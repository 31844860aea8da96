import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Adapter } from '@varve/core'
import { adapter as mysql } from '@varve/mysql'
import { adapter as postgres } from '@varve/postgres'
import { adapter as partitioned } from '@varve/postgres-partitioned'
import { adapter as sqlite } from '@varve/sqlite'
import { createDatabase } from '@varve/test-servers/vitest'

export interface OpenDatabase {
  readonly url: string
  drop(): Promise<void>
}

export const adapters: readonly Adapter[] = [sqlite, postgres, partitioned, mysql]

/** Every database that the example must give the same result on; one more is one more line. */
export const databases: Readonly<Record<string, () => Promise<OpenDatabase>>> = {
  'sqlite in memory': async () => ({ url: 'sqlite::memory:', drop: async () => undefined }),
  'sqlite in a file': async () => sqliteFile(),
  postgres: () => createDatabase('postgres'),
  'postgres, partitioned': () => partitionedDatabase(),
  mysql: () => createDatabase('mysql'),
  mariadb: () => createDatabase('mariadb'),
}

async function partitionedDatabase(): Promise<OpenDatabase> {
  const database = await createDatabase('postgres')
  return { url: `${database.url}?partitioned=true`, drop: () => database.drop() }
}

function sqliteFile(): OpenDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bank-'))
  return {
    url: `sqlite:${join(folder, 'bank.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
