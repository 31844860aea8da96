import type { ResolvedStoreOptions } from '@varve/core'
import pg from 'pg'
import type { PgPool } from './driver.js'
import type { HintClient } from './hints.js'

/**
 * Makes clients like those of the pool, but outside of it: whoever listens keeps its connection. A pool that does not tell
 * how it connects has none: then others' appends are found by looking.
 */
export function hintClient(pool: PgPool, options: ResolvedStoreOptions): (() => HintClient) | undefined {
  const { options: settings, Client = pg.Client } = pool as Partial<pg.Pool> & { Client?: typeof pg.Client }
  if (settings === undefined) return undefined
  return () =>
    new Client({
      ...settings,
      // which does not show when a pool's settings are copied
      ...(settings.password !== undefined && { password: settings.password }),
      application_name: settings.application_name ?? 'varve',
      connectionTimeoutMillis: options.acquireTimeoutMs,
      keepAlive: true,
    })
}
