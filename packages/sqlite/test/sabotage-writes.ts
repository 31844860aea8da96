import {
  ConcurrencyError,
  DuplicateEventError,
  isConcurrencyError,
  isStreamArchivedError,
  newEvent,
} from '@varve/core'
import type { AppendOptions, AppendResult, EventStore, NewEvent, StreamWrite } from '@varve/core'
import { setImmediate } from 'node:timers/promises'
import { inTransactions } from './sabotage-wrap.js'
import type { Fault } from './sabotage-wrap.js'

const withoutExpectation = ({ expectedVersion: _, ...rest }: AppendOptions = {}): AppendOptions => rest

/** Appends without an expectation where `ignored` says so. */
const ignoringExpectation =
  (ignored: (expected: AppendOptions['expectedVersion']) => boolean) =>
  (store: EventStore): Partial<EventStore> => ({
    append: (streamId, events, options) =>
      store.append(
        streamId,
        events,
        ignored(options?.expectedVersion) ? withoutExpectation(options) : options,
      ),
  })

/** Changes the ConcurrencyErrors that come out of `append`. */
const otherError =
  (change: (error: ConcurrencyError) => unknown) =>
  (store: EventStore): Partial<EventStore> => ({
    append: async (...call) => {
      try {
        return await store.append(...call)
      } catch (error) {
        throw isConcurrencyError(error) ? change(error) : error
      }
    },
  })

const storedOf = async (store: EventStore, events: readonly NewEvent[]) =>
  Promise.all(
    events.map(async ({ id }) => (id === undefined ? undefined : store.getEvent(id).catch(() => undefined))),
  )

const asChecked = (write: StreamWrite): AppendResult => ({
  streamId: write.streamId,
  version: typeof write.expectedVersion === 'number' ? write.expectedVersion : 0,
  position: 0,
  events: [],
  duplicate: false,
})

let calls = 0

export const writeFaults: Fault[] = [
  {
    name: 'ignores the expected version',
    caughtBy: 'expected-version',
    breaks: ignoringExpectation(() => true),
  },
  {
    name: 'accepts no-stream on an existing stream',
    caughtBy: 'expected-version',
    breaks: ignoringExpectation((expected) => expected === 'no-stream'),
  },
  {
    name: 'accepts stream-exists on a missing stream',
    caughtBy: 'expected-version',
    breaks: ignoringExpectation((expected) => expected === 'stream-exists'),
  },
  {
    name: 'takes the expected version 0 for any',
    caughtBy: 'expected-version',
    breaks: ignoringExpectation((expected) => expected === 0),
  },
  {
    name: 'reports one less than expected as the actual version',
    caughtBy: 'expected-version',
    breaks: otherError(({ tenantId, streamId, expectedVersion }) => {
      const actualVersion = typeof expectedVersion === 'number' ? expectedVersion - 1 : 0
      return new ConcurrencyError({ tenantId, streamId, expectedVersion, actualVersion })
    }),
  },
  {
    name: 'reports another expected version than the one that was passed',
    caughtBy: 'expected-version',
    breaks: otherError(({ tenantId, streamId, expectedVersion, actualVersion }) => {
      const changed = expectedVersion === 'no-stream' ? 0 : expectedVersion
      return new ConcurrencyError({ tenantId, streamId, expectedVersion: changed, actualVersion })
    }),
  },
  {
    name: 'calls a missed expectation retryable',
    caughtBy: 'expected-version',
    breaks: otherError((error) => Object.assign(error, { retryable: true })),
  },
  {
    name: 'throws errors without a code',
    caughtBy: 'expected-version',
    breaks: otherError(({ message }) => new Error(message)),
  },
  {
    name: 'checks the expected version before it appends, not while',
    caughtBy: 'races',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const { expectedVersion } = options ?? {}
        const actualVersion = (await store.getStream(streamId))?.version ?? 0
        const expected = expectedVersion === 'no-stream' ? 0 : expectedVersion
        if (typeof expected === 'number' && expectedVersion !== undefined && expected !== actualVersion) {
          throw new ConcurrencyError({ tenantId: store.tenantId, streamId, expectedVersion, actualVersion })
        }
        return store.append(streamId, events, withoutExpectation(options))
      },
    }),
  },
  {
    name: 'lets any appends conflict with each other',
    caughtBy: 'races',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const version = (await store.getStream(streamId))?.version ?? 0
        return store.append(streamId, events, { expectedVersion: version, ...options })
      },
    }),
  },
  {
    name: 'loses an append that meets another one',
    caughtBy: 'races',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const version = (await store.getStream(streamId))?.version ?? 0
        try {
          return await store.append(streamId, events, { expectedVersion: version, ...options })
        } catch (error) {
          if (!isConcurrencyError(error) || options?.expectedVersion !== undefined) throw error
          return { streamId, version: version + events.length, position: 1, events: [], duplicate: false }
        }
      },
    }),
  },
  {
    name: 'does not know repetitions: stored ids are replaced',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const stored = await storedOf(store, events)
        const renewed = events.map(({ id, ...rest }, index) =>
          stored[index] || id === undefined ? rest : { ...rest, id },
        )
        return store.append(streamId, renewed, options)
      },
    }),
  },
  {
    name: 'refuses repetitions',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (...call) => {
        const result = await store.append(...call)
        if (result.duplicate) throw new DuplicateEventError(result.events[0]?.id ?? '', 'sabotage')
        return result
      },
    }),
  },
  {
    name: 'does not say that it is a repetition',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (...call) => ({ ...(await store.append(...call)), duplicate: false }),
    }),
  },
  {
    name: 'calls everything a repetition',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (...call) => ({ ...(await store.append(...call)), duplicate: true }),
    }),
  },
  {
    name: 'checks the expected version before it looks for a repetition',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const { expectedVersion } = options ?? {}
        const actualVersion = (await store.getStream(streamId))?.version ?? 0
        if (typeof expectedVersion === 'number' && expectedVersion < actualVersion) {
          throw new ConcurrencyError({ tenantId: store.tenantId, streamId, expectedVersion, actualVersion })
        }
        return store.append(streamId, events, options)
      },
    }),
  },
  {
    name: 'stores the rest of a batch of which a part is stored',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const stored = await storedOf(store, events)
        const rest = events.filter((_, index) => stored[index] === undefined)
        return store.append(streamId, rest.length > 0 ? rest : events, options)
      },
    }),
  },
  {
    name: 'takes an id for a repetition whatever its content',
    caughtBy: 'idempotency',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const stored = (await storedOf(store, events)).filter((event) => event !== undefined)
        const last = stored.at(-1)
        if (last === undefined || stored.length < events.length || last.streamId !== streamId) {
          return store.append(streamId, events, options)
        }
        return { streamId, version: last.version, position: last.position, events: stored, duplicate: true }
      },
    }),
  },
  {
    name: 'stores everything twice',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const result = await store.append(streamId, events, options)
        const again = events.map(({ id: _, ...rest }) => rest)
        if (!result.duplicate) await store.append(streamId, again, withoutExpectation(options))
        return result
      },
    }),
  },
  {
    name: 'orders the writes of an appendMany by stream',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const ordered = writes.toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1))
        const results = await store.appendMany(ordered)
        return writes.map((write) => results[ordered.indexOf(write)] ?? asChecked(write))
      },
    }),
  },
  {
    name: 'appends the writes of an appendMany one after another',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const results: AppendResult[] = []
        for (const write of writes) results.push(...(await store.appendMany([write])))
        return results
      },
    }),
  },
  {
    name: 'ignores the checks of an appendMany',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const real = writes.filter(({ events }) => events.length > 0)
        const results = real.length > 0 ? await store.appendMany(real) : []
        return writes.map((write) => results[real.indexOf(write)] ?? asChecked(write))
      },
    }),
  },
  {
    name: 'ignores the expectations of an appendMany',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: (writes) => store.appendMany(writes.map(({ expectedVersion: _, ...write }) => write)),
    }),
  },
  {
    name: 'makes a stream of a missing one that is only checked',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const results = await store.appendMany(writes)
        for (const { streamId, version } of results)
          if (version === 0) await store.append(streamId, [newEvent({ type: 'x', data: 0 })])
        return results
      },
    }),
  },
  {
    name: 'accepts the same stream twice in an appendMany',
    caughtBy: 'append-many',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const seen = new Set<string>()
        const unique = writes.filter(({ streamId }) => !seen.has(streamId) && seen.add(streamId))
        return store.appendMany(unique)
      },
    }),
  },
  {
    name: 'lets archived streams grow',
    caughtBy: 'archive',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        try {
          return await store.append(streamId, events, options)
        } catch (error) {
          if (!isStreamArchivedError(error)) throw error
          await store.restoreStream(streamId)
          const result = await store.append(streamId, events, options)
          await store.archiveStream(streamId)
          return result
        }
      },
    }),
  },
  {
    name: 'ignores another stream type',
    caughtBy: 'streams',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const { streamType, ...rest } = options ?? {}
        const exists = (await store.getStream(streamId)) !== undefined
        return store.append(
          streamId,
          events,
          exists || streamType === undefined ? rest : { ...rest, streamType },
        )
      },
    }),
  },
  {
    name: 'does not copy its input',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        await Promise.resolve()
        return store.append(streamId, events, options)
      },
    }),
  },
  {
    name: 'does not keep the order of unawaited appends',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const copy = structuredClone(events)
        if ((calls += 1) % 3 === 0) await setImmediate()
        return store.append(streamId, copy, options)
      },
    }),
  },
  {
    name: 'accepts an append without events',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) =>
        events.length > 0
          ? store.append(streamId, events, options)
          : { streamId, version: 0, position: 0, events: [], duplicate: false },
    }),
  },
  {
    name: 'throws instead of rejecting',
    caughtBy: 'append',
    breaks: (store) => ({
      append: (streamId, events, options) => {
        if (streamId === '') throw new TypeError('sabotage')
        return store.append(streamId, events, options)
      },
    }),
  },
  {
    name: 'swallows unknown options of append',
    caughtBy: 'append',
    breaks: (store) => ({
      append: (streamId, events, { expectedVersion, streamType } = {}) =>
        store.append(streamId, events, {
          ...(expectedVersion !== undefined && { expectedVersion }),
          ...(streamType !== undefined && { streamType }),
        }),
    }),
  },
  {
    name: 'ignores expectations inside a transaction',
    caughtBy: 'transaction',
    breaks: (store) =>
      inTransactions(store, (tx) => ({
        append: (streamId, events, options) => tx.append(streamId, events, withoutExpectation(options)),
      })),
  },
]
