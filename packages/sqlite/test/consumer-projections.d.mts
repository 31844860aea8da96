import type { Projection } from '@varve/core'
import type { Database } from 'better-sqlite3'

export function projectionsFor(
  query: (client: Database, text: string) => unknown,
): readonly Projection<Database>[]
export const chaosTables: readonly string[]
