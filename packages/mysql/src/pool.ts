import { createPool } from 'mysql2'
import type { Pool, PoolConnection } from 'mysql2'
import type { Pool as PromisePool } from 'mysql2/promise'
import type { ResolvedStoreOptions } from '@varve/core'
import { IdleConnections } from './idle.js'

/** A pool of mysql2, of either kind. */
export type MysqlPool = Pool | PromisePool

/** What the driver needs of a pool. */
export interface Source {
  /** Whether the store opened it. */
  readonly owned: boolean
  get(): Promise<PoolConnection>
  release(connection: PoolConnection): void
  close(): Promise<void>
}

export function isPool(value: unknown): value is MysqlPool {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getConnection' in value &&
    typeof value.getConnection === 'function'
  )
}

/** The caller's pool, of either kind; left open. */
export function callersPool(pool: MysqlPool): Source {
  const core = 'pool' in pool ? pool.pool : pool
  return {
    owned: false,
    get: () => get(core),
    release: (connection) => connection.release(),
    close: async () => undefined,
  }
}

export function openPool(uri: string, options: ResolvedStoreOptions): Source {
  const { pool: size, acquireTimeoutMs, idleTimeoutMs } = options
  const pool = createPool({
    uri,
    charset: 'utf8mb4',
    connectionLimit: size.max,
    // mysql2 would end idle connections down to none, and only where fewer than all may be idle
    maxIdle: size.max,
    maxPreparedStatements: 400,
    enableKeepAlive: true,
    ...(acquireTimeoutMs > 0 && { connectTimeout: acquireTimeoutMs }),
  })
  const idle = new IdleConnections(idleTimeoutMs, size.min)
  pool.on('connection', (connection) => {
    idle.add(connection)
    // one that breaks while nobody uses it is replaced; without a listener it would end the process
    connection.on('error', () => undefined)
  })
  return {
    owned: true,
    async get() {
      const connection = await get(pool)
      idle.taken(connection)
      return connection
    },
    release(connection) {
      idle.released(connection)
      connection.release()
    },
    async close() {
      idle.stop()
      await end(pool, idle)
    },
  }
}

function get(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)))
  })
}

const GOODBYE_MS = 2_000

/** Says goodbye to the server; a server that does not listen is left. */
function end(pool: Pool, idle: IdleConnections): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      idle.destroyAll()
      resolve()
    }, GOODBYE_MS)
    pool.end(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
