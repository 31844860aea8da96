import fc from 'fast-check'
import { isEventStoreError } from '../errors.js'
import type { AppendResult, EventStore } from '../event-store.js'
import type { ExpectedVersion } from '../expected-version.js'
import { at } from './helpers.js'
import type { ModelWrite, Operation, Outcome } from './history-model.js'

/** Operations that run at the same time, each on one of the stores. */
export type Round = readonly { readonly store: number; readonly operation: Operation }[]

// few streams and few ids, so that operations meet
const streamId = fc.constantFrom('a', 'b', 'c')
const id = fc
  .integer({ min: 1, max: 40 })
  .map((n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`)
const expectedVersion: fc.Arbitrary<ExpectedVersion> = fc.oneof(
  { arbitrary: fc.constant('any' as const), weight: 4 },
  { arbitrary: fc.integer({ min: 0, max: 4 }), weight: 3 },
  { arbitrary: fc.constantFrom('no-stream' as const, 'stream-exists' as const), weight: 2 },
)
const write = (minLength: number): fc.Arbitrary<ModelWrite> =>
  fc.record({ streamId, ids: fc.uniqueArray(id, { minLength, maxLength: 3 }), expectedVersion })

const single: fc.Arbitrary<Operation> = write(1).map((one) => ({ kind: 'append', writes: [one] }))
const many: fc.Arbitrary<Operation> = fc
  .uniqueArray(write(0), { minLength: 1, maxLength: 3, selector: ({ streamId: stream }) => stream })
  .filter((writes) => {
    const ids = writes.flatMap((one) => one.ids)
    // one call never names an id twice, that is refused; and one that only checks has no outcome to compare but its checks
    return new Set(ids).size === ids.length && ids.length > 0
  })
  .map((writes) => ({ kind: 'append', writes }))
const other: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('archive' as const, 'restore' as const),
  streamId,
})

export const arbitraryRound: fc.Arbitrary<Round> = fc.array(
  fc.record({
    store: fc.integer({ min: 0, max: 1 }),
    operation: fc.oneof(
      { arbitrary: single, weight: 5 },
      { arbitrary: many, weight: 3 },
      { arbitrary: other, weight: 2 },
    ),
  }),
  { minLength: 1, maxLength: 4 },
)

export async function perform(
  stores: readonly EventStore[],
  round: Round,
): Promise<{ operation: Operation; outcome: Outcome }[]> {
  return Promise.all(
    round.map(async ({ store, operation }) => ({
      operation,
      outcome: await outcomeOf(at(stores, store), operation),
    })),
  )
}

async function outcomeOf(store: EventStore, operation: Operation): Promise<Outcome> {
  try {
    if (operation.kind === 'append') return describe(await append(store, operation.writes))
    if (operation.kind === 'archive') await store.archiveStream(operation.streamId)
    else await store.restoreStream(operation.streamId)
    return 'done'
  } catch (error) {
    if (!isEventStoreError(error)) throw error
    const { streamId: stream, actualVersion } = error as { streamId?: string; actualVersion?: number }
    if (error.code === 'VARVE_CONCURRENCY') return `${error.code} ${stream} ${actualVersion}`
    return error.code === 'VARVE_STREAM_ARCHIVED' ? `${error.code} ${stream}` : error.code
  }
}

async function append(store: EventStore, writes: readonly ModelWrite[]): Promise<AppendResult[]> {
  const given = writes.map(({ ids, ...rest }) => ({
    ...rest,
    events: ids.map((eventId) => ({ type: 'tested', data: { id: eventId }, id: eventId })),
  }))
  const [first] = given
  if (given.length !== 1 || first === undefined) return store.appendMany(given)
  return [await store.append(first.streamId, first.events, { expectedVersion: first.expectedVersion })]
}

function describe(results: readonly AppendResult[]): Outcome {
  const written = results.filter(({ events }) => events.length > 0)
  const kinds = new Set(written.map(({ duplicate }) => (duplicate ? 'duplicate' : 'stored')))
  return `${[...kinds].join(' and ')} ${written.map(({ version }) => version).join()}`
}
