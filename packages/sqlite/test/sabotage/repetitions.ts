import { ConcurrencyError, DuplicateEventError } from '@varve/core'
import type { EventStore, NewEvent } from '@varve/core'
import type { Fault } from './wrap.js'

const storedOf = async (store: EventStore, events: readonly NewEvent[]) =>
  Promise.all(
    events.map(async ({ id }) => (id === undefined ? undefined : store.getEvent(id).catch(() => undefined))),
  )

export const repetitionFaults: Fault[] = [
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
    caughtBy: 'duplicates',
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
    caughtBy: 'duplicates',
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
]
