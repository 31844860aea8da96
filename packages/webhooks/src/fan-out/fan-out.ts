import { defineProjection } from '@varve/core'
import type { Projection, RecordedEvent } from '@varve/core'
import type { SqlSession } from '@varve/sql'
import { EVERYBODY } from '../scope.js'
import type { EndpointStore } from '../endpoints/endpoint-store.js'
import { holdRevision } from '../endpoints/revision.js'
import type { Database, Query } from '../sql/database.js'
import { insertJobs } from './insert-jobs.js'
import type { Owed } from './insert-jobs.js'
import { Routes } from './routes.js'

/** The name of its checkpoint. */
export const FAN_OUT = 'webhooks.fan-out'

/** Turns events into jobs, one for each endpoint that wants it, in the transaction that moves the cursor of the log. */
export class FanOut {
  readonly #database: Database
  readonly #endpoints: EndpointStore
  #known: { revision: number; routes: Routes } | undefined

  constructor(database: Database, endpoints: EndpointStore) {
    this.#database = database
    this.#endpoints = endpoints
  }

  /** For `store.projections.run`: over all tenants, its checkpoint and the jobs commit together. */
  get projection(): Projection {
    return defineProjection({
      name: FAN_OUT,
      allTenants: true,
      batch: (events, tx) => this.apply(this.#database.access.session(tx), events),
      // jobs are no model that could be built anew: those that are there stay, and are not made twice
      reset: () => undefined,
      onError: { retries: 1_000, backoffMs: 100, then: 'stop' },
    })
  }

  /** Makes the jobs for events, and notes what disabled endpoints miss. */
  async apply(session: SqlSession, events: readonly RecordedEvent[]): Promise<void> {
    const routes = await this.#routes(session)
    const owed: Owed[] = []
    const gaps = new Map<string, { id: string; first_position: number; last_position: number }>()
    for (const event of events) {
      for (const endpoint of routes.endpointsFor(event)) {
        if (endpoint.enabled) owed.push({ endpoint, event, generation: 0 })
        else {
          const first = gaps.get(endpoint.id)?.first_position ?? event.position
          gaps.set(endpoint.id, { id: endpoint.id, first_position: first, last_position: event.position })
        }
      }
    }
    await insertJobs(this.#database, session, owed)
    if (gaps.size > 0) await this.#noteGaps(session, [...gaps.values()])
  }

  /** Who wants what; settings do not change until the transaction ends. */
  async #routes(session: SqlSession): Promise<Routes> {
    const revision = await holdRevision(this.#database, session)
    if (this.#known?.revision !== revision) {
      const query: Query = (text, params, map) => session.query(text, params, map)
      this.#known = { revision, routes: new Routes(await this.#endpoints.list(query, EVERYBODY)) }
    }
    return this.#known.routes
  }

  async #noteGaps(session: SqlSession, gaps: readonly object[]): Promise<void> {
    const { syntax, endpoints } = this.#database
    await syntax.update(session, {
      table: endpoints,
      rows: syntax.rows('$1', { id: 'text', first_position: 'integer', last_position: 'integer' }),
      on: 't.id = r.id',
      set: {
        gap_from: 'coalesce(t.gap_from, r.first_position)',
        gap_to: 'case when t.gap_to > r.last_position then t.gap_to else r.last_position end',
      },
      params: [JSON.stringify(gaps)],
    })
  }
}
