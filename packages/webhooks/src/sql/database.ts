import { backoffDelay, isTransactionConflictError, sleep } from '@varve/core'
import type { EventStore } from '@varve/core'
import { sqlOf } from '@varve/sql'
import type { SqlAccess, SqlExtension, SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { migrations } from '../generated/migrations.js'
import { syntaxOf } from './syntax.js'
import type { Syntax } from './syntax.js'

export const extension: SqlExtension = {
  name: 'webhooks',
  migrations,
  tables: [
    'webhook_endpoints',
    'webhook_secrets',
    'webhook_endpoint_health',
    'webhook_jobs',
    'webhook_deliveries',
    'webhook_state',
    'webhook_stats',
  ],
}

export type Query = <T = SqlRow>(
  text: string,
  params?: readonly SqlValue[],
  map?: (row: SqlRow) => T,
) => Promise<T[]>

// conflicts are over in no time: the next try mostly succeeds
const CONFLICT_TRIES = 8

/** The tables of this package, in the store's database. */
export class Database {
  readonly access: SqlAccess
  readonly syntax: Syntax
  readonly now: string
  readonly endpoints: string
  readonly secrets: string
  readonly health: string
  readonly jobs: string
  readonly deliveries: string
  readonly state: string
  readonly stats: string
  readonly events: string

  constructor(store: EventStore) {
    this.access = sqlOf(store)
    const { dialect } = this.access
    this.syntax = syntaxOf(dialect.name)
    this.now = this.syntax.now
    this.endpoints = dialect.table('webhook_endpoints')
    this.secrets = dialect.table('webhook_secrets')
    this.health = dialect.table('webhook_endpoint_health')
    this.jobs = dialect.table('webhook_jobs')
    this.deliveries = dialect.table('webhook_deliveries')
    this.state = dialect.table('webhook_state')
    this.stats = dialect.table('webhook_stats')
    this.events = dialect.table('events')
  }

  /** One statement, as a call of the store's. */
  readonly query: Query = (text, params, map) =>
    this.access.run('webhooks', () => this.access.driver.query(text, params, map))

  /** A transaction, as a call of the store's; run again when the database ended it because of somebody else's. */
  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return repeated(() => this.access.run('webhooks', () => this.access.driver.transaction(work)))
  }

  /** In a select list: a time in the form that `time` takes. */
  timeColumn(expression: string): string {
    return this.access.dialect.time(expression)
  }

  time(value: unknown): Date {
    return this.access.dialect.decode.time(value)
  }

  timeOrNone(value: unknown): Date | undefined {
    return value === null || value === undefined ? undefined : this.time(value)
  }

  number(value: unknown): number {
    return this.access.dialect.decode.number(value)
  }
}

export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isTransactionConflictError(error) || attempt >= CONFLICT_TRIES) throw error
      await sleep(backoffDelay({ baseDelayMs: 1 }, Math.min(attempt, 3)))
    }
  }
}
