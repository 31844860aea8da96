import type { BatchHandler, EventHandler, EventStore, Projection, ProjectionAdmin } from '@varve/core'
import { omit, replaced, type Fault } from './wrap.js'

/** A store that runs its projections as somebody else wrote them. */
const fault = (
  name: string,
  caughtBy: string,
  broken: (projection: Projection) => Partial<Projection>,
): Fault => ({
  name,
  caughtBy,
  breaks: administered((admin) => ({
    run: (projections, options) =>
      admin.run(
        projections.map((projection) => ({ ...projection, ...broken(projection) })),
        options,
      ),
  })),
})

const administered =
  (members: (admin: ProjectionAdmin) => Partial<ProjectionAdmin>) =>
  (store: EventStore): Partial<EventStore> => ({
    projections: replaced(store.projections, members(store.projections)),
  })

/** The projection with other handlers, one by one. */
function handling(
  { handles }: Projection,
  change: (handler: EventHandler) => EventHandler,
): Partial<Projection> {
  const changed = Object.entries(handles).map(([type, handler]) => [type, change(handler)] as const)
  return { handles: Object.fromEntries(changed) }
}

const batching = (
  { batch }: Projection,
  change: (batch: BatchHandler) => BatchHandler,
): Partial<Projection> => (batch === undefined ? {} : { batch: change(batch) })

export const consumerFaults: readonly Fault[] = [
  fault('keeps what a handler wrote before it failed', 'projections', (projection) =>
    handling(projection, (handler) => async (event, tx) => {
      try {
        await handler(event, tx)
      } catch {
        // as if it had worked
      }
    }),
  ),
  fault('handles some events twice', 'projections', (projection) =>
    handling(projection, (handler) => async (event, tx) => {
      await handler(event, tx)
      if (event.position % 50 === 0) await handler(event, tx)
    }),
  ),
  fault('leaves out an event now and then', 'projections', (projection) =>
    handling(
      projection,
      (handler) => (event, tx) => (event.position % 50 === 0 ? undefined : handler(event, tx)),
    ),
  ),
  fault('does not wait for its handlers', 'projections', (projection) =>
    handling(projection, (handler) => (event, tx) => {
      setTimeout(() => void Promise.resolve(handler(event, tx)).catch(() => undefined), 5)
    }),
  ),
  fault('knows no prefixes of types', 'projections', ({ handles }) => ({
    handles: Object.fromEntries(Object.entries(handles).filter(([type]) => !type.endsWith('.*'))),
  })),
  fault('gives batches backwards', 'projections', (projection) =>
    batching(projection, (batch) => (events, tx) => batch(events.toReversed(), tx)),
  ),
  fault('gives batches one event too few', 'projections', (projection) =>
    batching(
      projection,
      (batch) => (events, tx) => batch(events.slice(0, Math.max(1, events.length - 1)), tx),
    ),
  ),
  fault('never sets a model up', 'projections', () => ({ setUp: () => undefined })),
  fault('shows all tenants to the projection of one', 'projections', () => ({ allTenants: true })),
  {
    name: 'says that it caught up when it has not',
    caughtBy: 'projections',
    breaks: administered((admin) => ({
      run: (...call) => replaced(admin.run(...call), { caughtUp: () => Promise.resolve() }),
    })),
  },
  fault('skips where it should park', 'parked', ({ onError }) => ({
    onError: { ...onError, then: onError.then === 'park' ? 'skip' : onError.then },
  })),
  fault('stops where it should skip', 'parked', ({ onError }) => ({ onError: { ...onError, then: 'stop' } })),
  fault('tries once, whatever the policy', 'parked', ({ onError }) => ({
    onError: { ...onError, retries: 0 },
  })),
  fault('rebuilds onto what is there', 'checkpoints', () => ({ reset: () => undefined })),
  fault('takes over without switching the readers', 'versions', () => ({
    takeOver: () => undefined,
    tables: [],
  })),
  fault('gives all shards to the first', 'projections', () => ({ shards: 1 })),
  {
    name: 'pauses only what is said',
    caughtBy: 'checkpoints',
    breaks: administered(() => ({ pause: () => Promise.resolve() })),
  },
  {
    name: 'applies nothing inline',
    caughtBy: 'inline',
    opens: (options) => omit(options, 'inline'),
  },
  {
    name: 'appends what an inline projection refuses',
    caughtBy: 'inline',
    opens: ({ inline = [], ...options }) => ({
      ...options,
      inline: inline.map((projection) => ({
        ...projection,
        ...handling(projection, (handler) => async (event, tx) => {
          try {
            await handler(event, tx)
          } catch {
            // nobody hears of it
          }
        }),
      })),
    }),
  },
]
