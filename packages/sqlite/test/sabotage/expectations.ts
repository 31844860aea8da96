import { ConcurrencyError, isConcurrencyError } from '@varve/core'
import type { AppendOptions, EventStore } from '@varve/core'
import { inTransactions, omit } from './wrap.js'
import type { Fault } from './wrap.js'

const withoutExpectation = (options: AppendOptions = {}): AppendOptions => omit(options, 'expectedVersion')

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

export const expectationFaults: Fault[] = [
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
    name: 'ignores expectations inside a transaction',
    caughtBy: 'transaction',
    breaks: (store) =>
      inTransactions(store, (tx) => ({
        append: (streamId, events, options) => tx.append(streamId, events, withoutExpectation(options)),
      })),
  },
]
