import type { Projection } from '@varve/core'
import type { PoolClient } from 'pg'

export function projectionsFor(
  query: (client: PoolClient, text: string) => unknown,
): readonly Projection<PoolClient>[]
export const chaosTables: readonly string[]
