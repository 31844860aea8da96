import assert from 'node:assert/strict'
import type { RecordedEvent } from '../event.js'
import type { EventStore } from '../event-store.js'
import { defineProjection } from '../projection/define-projection.js'
import type { Projection, ProjectionDefinition, ProjectionTransaction } from '../projection/projection.js'
import type {
  ErrorReport,
  LeaseReport,
  ProjectionRunner,
  RunOptions,
} from '../projection/projection-admin.js'
import type { CaseContext } from './context.js'
import { deferred } from './deferred.js'
import { same, within } from './helpers.js'
import type { OpenedStore } from './harness.js'

/** A read model that remembers each event once: an event applied twice breaks its key. */
export interface Model {
  readonly table: string
  /** In a projection's transaction. */
  readonly note: (event: RecordedEvent, tx: ProjectionTransaction) => Promise<void>
  readonly clear: (tx: ProjectionTransaction) => Promise<void>
  readonly positions: () => Promise<number[]>
}

let models = 0

export async function model({ opened }: { opened: OpenedStore }): Promise<Model> {
  const table = opened.table(`model_${++models}`)
  await opened.sql(
    `create table ${table} (position bigint not null primary key, stream_id varchar(100) not null)`,
  )
  return {
    table,
    async note(event, { client }) {
      await opened.query(
        client,
        `insert into ${table} (position, stream_id) values (${event.position}, '${event.streamId}')`,
      )
    },
    async clear({ client }) {
      await opened.query(client, `delete from ${table}`)
    },
    async positions() {
      const rows = await opened.sql(`select position from ${table} order by position`)
      return rows.map(({ position }) => Number(position))
    },
  }
}

/** A name of its own, as the cases of a topic share a database. */
export const named = (): string => `projection_${++models}`

/** A projection that notes all events in the model. */
export function noting(into: Model, more: Partial<ProjectionDefinition> = {}): Projection {
  return defineProjection({
    name: named(),
    ...(more.batch === undefined && { handles: { 'tested.*': into.note, tested: into.note } }),
    reset: into.clear,
    ...more,
  })
}

export interface Run extends ProjectionRunner {
  readonly errors: ErrorReport[]
  readonly leases: LeaseReport[]
}

/** Runs projections until the end of the case. */
export function run(
  { store, defer }: Pick<CaseContext, 'store' | 'defer'>,
  projections: readonly Projection[],
  options: RunOptions = {},
): Run {
  const errors: ErrorReport[] = []
  const leases: LeaseReport[] = []
  const runner = store.projections.run(projections, {
    leaseMs: 2_000,
    onError: (report) => errors.push(report),
    onLease: (report) => leases.push(report),
    ...options,
  })
  defer(() => runner.stop())
  return {
    errors,
    leases,
    caughtUp: () => within(runner.caughtUp(), 15_000, 'caughtUp'),
    stop: () => within(runner.stop(), 15_000, 'stop'),
    [Symbol.asyncDispose]: () => runner.stop(),
  }
}

/** Asks again until the answer is the one that is waited for. */
export async function eventually(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `${what} did not come true within 15 s`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The events of the store's tenant, as the projections ought to have seen them. */
export async function expectAll(store: Pick<EventStore, 'readAll'>, into: Model): Promise<void> {
  const all = await store.readAll().toArray()
  same(
    await into.positions(),
    all.map(({ position }) => position),
  )
}

/** What a subscription gives, gathered beside the case until it ends. */
export function gather(events: AsyncIterable<RecordedEvent>) {
  const seen: RecordedEvent[] = []
  let wake = deferred()
  const ended = (async () => {
    for await (const event of events) {
      seen.push(event)
      wake.resolve()
      wake = deferred()
    }
  })()
  ended.catch(() => undefined)
  return {
    seen,
    ended,
    async until(count: number): Promise<void> {
      const all = async (): Promise<void> => {
        while (seen.length < count) {
          const over = await Promise.race([wake.promise.then(() => false), ended.then(() => true)])
          assert.ok(!over || seen.length >= count, `the subscription ended after ${seen.length} events`)
        }
      }
      await within(all(), 15_000, `the ${count} events of a subscription that has ${seen.length}`)
    },
  }
}
