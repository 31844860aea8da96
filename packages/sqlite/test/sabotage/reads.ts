import type { EventStore, ReadAllOptions, RecordedEvent } from '@varve/core'
import { changingReads, readOf, omit } from './wrap.js'
import type { Fault } from './wrap.js'

/** Reads the log with other options than it was asked for. */
const reading =
  (change: (options: ReadAllOptions) => ReadAllOptions) =>
  (store: EventStore): Partial<EventStore> => ({ readAll: (options = {}) => store.readAll(change(options)) })

export const readFaults: Fault[] = [
  {
    name: 'gives one event more than the limit',
    caughtBy: 'reads-all',
    breaks: reading((options) => ({ ...options, ...(options.limit && { limit: options.limit + 1 }) })),
  },
  {
    name: 'takes the limit 0 for none',
    caughtBy: 'reads-all',
    breaks: reading(({ limit, ...rest }) => ({ ...rest, ...(limit && { limit }) })),
  },
  {
    name: 'includes the event at after',
    caughtBy: 'reads-all',
    breaks: reading((options) => ({ ...options, ...(options.after && { after: options.after - 1 }) })),
  },
  {
    name: 'leaves out the event at until',
    caughtBy: 'reads-all',
    breaks: reading((options) => ({ ...options, ...(options.until && { until: options.until - 1 }) })),
  },
  {
    name: 'reads the log forwards whatever is asked',
    caughtBy: 'reads-all',
    breaks: reading((options) => omit(options, 'direction')),
  },
  {
    name: 'turns after and until with the direction',
    caughtBy: 'reads-all',
    breaks: reading(({ after, until, ...rest }) =>
      rest.direction === 'backwards' && after !== undefined && until !== undefined
        ? { ...rest, after: after + 1, until: until - 1 }
        : { ...rest, ...(after !== undefined && { after }), ...(until !== undefined && { until }) },
    ),
  },
  {
    name: 'swallows unknown options of reads',
    caughtBy: 'reads-all',
    breaks: reading((options) => {
      const known = [
        'types',
        'streamTypes',
        'streamIds',
        'tags',
        'correlationId',
        'causationId',
        'createdBy',
        'recordedFrom',
        'recordedTo',
        'metadata',
        'after',
        'until',
        'direction',
        'limit',
        'settled',
        'waitForSettledMs',
      ]
      return Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)))
    }),
  },
  {
    name: 'ends after a thousand events',
    caughtBy: 'reads-stream',
    breaks: (store) => changingReads(store, (events) => events.slice(0, 1_000)),
  },
  {
    name: 'remembers what a read gave the first time',
    caughtBy: 'reads-stream',
    breaks: (store) => ({
      readStream: (streamId, options) => {
        let first: Promise<RecordedEvent[]> | undefined
        return readOf(() => (first ??= store.readStream(streamId, options).toArray()))
      },
    }),
  },
  {
    name: 'asks when the read is made',
    caughtBy: 'reads-all',
    breaks: (store) => ({
      readAll: (options) => {
        const early = store.readAll(options).toArray()
        early.catch(() => undefined)
        return { ...readOf(() => store.readAll(options).toArray()), toArray: () => early }
      },
    }),
  },
  {
    name: 'counts without the limit',
    caughtBy: 'reads-all',
    breaks: (store) => ({
      readAll: (options) => ({
        ...readOf(() => store.readAll(options).toArray()),
        count: () => store.readAll(omit(options ?? {}, 'limit')).count(),
      }),
    }),
  },
  {
    name: 'gives the first for the last',
    caughtBy: 'reads-stream',
    breaks: (store) => ({
      readStream: (streamId, options) => ({
        ...readOf(() => store.readStream(streamId, options).toArray()),
        last: () => store.readStream(streamId, options).first(),
      }),
    }),
  },
  {
    name: 'leaves out the event at fromVersion',
    caughtBy: 'reads-stream',
    breaks: (store) => ({
      readStream: (streamId, options = {}) =>
        store.readStream(streamId, {
          ...options,
          ...(options.fromVersion && { fromVersion: options.fromVersion + 1 }),
        }),
    }),
  },
  {
    name: 'leaves out the event at toVersion',
    caughtBy: 'reads-stream',
    breaks: (store) => ({
      readStream: (streamId, options = {}) =>
        store.readStream(streamId, {
          ...options,
          ...(options.toVersion && { toVersion: options.toVersion - 1 }),
        }),
    }),
  },
  {
    name: 'reads streams forwards whatever is asked',
    caughtBy: 'reads-stream',
    breaks: (store) => ({
      readStream: (streamId, options) => store.readStream(streamId, omit(options ?? {}, 'direction')),
    }),
  },
]
