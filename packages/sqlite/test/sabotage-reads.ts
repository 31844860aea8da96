import type {
  EventFilter,
  EventReader,
  EventStore,
  ReadAllOptions,
  RecordedEvent,
  StreamInfo,
} from '@varve/core'
import { changingReads, readOf } from './sabotage-wrap.js'
import type { Fault } from './sabotage-wrap.js'

/** Reads the log with other options than it was asked for. */
const reading =
  (change: (options: ReadAllOptions) => ReadAllOptions) =>
  (store: EventStore): Partial<EventStore> => ({ readAll: (options = {}) => store.readAll(change(options)) })

/** Leaves out a filter, and then goes by a looser one of its own. */
const filtering =
  <Name extends keyof EventFilter>(
    name: Name,
    passes: (event: RecordedEvent, wanted: NonNullable<EventFilter[Name]>) => boolean,
  ) =>
  (store: EventStore): Partial<EventStore> => ({
    readAll: (options = {}) => {
      const { [name]: wanted, limit, ...rest } = options
      if (wanted === undefined || (Array.isArray(wanted) && wanted.length === 0))
        return store.readAll(options)
      return readOf(async () => {
        const all = await store.readAll(rest).toArray()
        return all.filter((event) => passes(event, wanted as NonNullable<EventFilter[Name]>)).slice(0, limit)
      })
    },
  })

const without = (name: keyof ReadAllOptions) => reading(({ [name]: _, ...rest }) => rest)

async function* listed(streams: () => Promise<StreamInfo[]>): AsyncGenerator<StreamInfo, undefined> {
  yield* await streams()
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const loosely = (actual: unknown, wanted: unknown): boolean =>
  typeof wanted === 'object' && wanted !== null
    ? Object.entries(wanted).every(([key, leaf]) =>
        loosely((actual as Record<string, unknown> | undefined)?.[key], leaf),
      )
    : String(actual) === String(wanted)

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
    breaks: reading(({ direction: _, ...rest }) => rest),
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
        const { toArray, ...read } = readOf(() => store.readAll(options).toArray())
        const early = store.readAll(options).toArray()
        early.catch(() => undefined)
        return { ...read, toArray: () => early.then(() => early, toArray) }
      },
    }),
  },
  {
    name: 'counts without the limit',
    caughtBy: 'reads-all',
    breaks: (store) => ({
      readAll: (options) => ({
        ...readOf(() => store.readAll(options).toArray()),
        count: () => store.readAll((({ limit: _, ...rest }) => rest)(options ?? {})).count(),
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
      readStream: (streamId, { direction: _, ...rest } = {}) => store.readStream(streamId, rest),
    }),
  },

  { name: 'ignores the filter by type', caughtBy: 'filters', breaks: without('types') },
  { name: 'ignores the filter by stream type', caughtBy: 'filters', breaks: without('streamTypes') },
  { name: 'ignores the filter by stream id', caughtBy: 'filters', breaks: without('streamIds') },
  { name: 'ignores the filter by tags', caughtBy: 'filters', breaks: without('tags') },
  { name: 'ignores the filter by metadata', caughtBy: 'filters', breaks: without('metadata') },
  { name: 'ignores the filter by correlation', caughtBy: 'filters', breaks: without('correlationId') },
  { name: 'ignores the filter by cause', caughtBy: 'filters', breaks: without('causationId') },
  { name: 'ignores the filter by creator', caughtBy: 'filters', breaks: without('createdBy') },
  { name: 'ignores recordedFrom', caughtBy: 'filters', breaks: without('recordedFrom') },
  {
    name: 'includes recordedTo',
    caughtBy: 'filters',
    breaks: filtering('recordedTo', (event, to) => event.recordedAt <= to),
  },
  {
    name: 'matches a prefix without its dot',
    caughtBy: 'filters',
    breaks: filtering('types', ({ type }, types) =>
      types.some((one) => (one.endsWith('.*') ? type.startsWith(one.slice(0, -2)) : one === type)),
    ),
  },
  {
    name: 'takes % and _ in a prefix for wildcards',
    caughtBy: 'filters',
    breaks: filtering('types', ({ type }, types) =>
      types.some((one) =>
        one.endsWith('.*')
          ? new RegExp(
              `^${one.slice(0, -1).replaceAll('.', '[.]').replaceAll('%', '.*').replaceAll('_', '.')}`,
            ).test(type)
          : one === type,
      ),
    ),
  },
  {
    name: 'compares types without letter case',
    caughtBy: 'filters',
    breaks: filtering('types', ({ type }, types) =>
      types.some((one) =>
        one.endsWith('.*') ? type.toLowerCase().startsWith(one.slice(0, -1).toLowerCase()) : one === type,
      ),
    ),
  },
  {
    name: 'is content with any of the tags',
    caughtBy: 'filters',
    breaks: filtering('tags', (event, tags) => tags.some((tag) => event.tags.includes(tag))),
  },
  {
    name: 'matches a part of a tag',
    caughtBy: 'filters',
    breaks: filtering('tags', (event, tags) =>
      tags.every((tag) => event.tags.some((one) => one.startsWith(tag))),
    ),
  },
  {
    name: 'takes an empty list of types for none',
    caughtBy: 'filters',
    breaks: reading(({ types, ...rest }) => ({ ...rest, ...(types && types.length > 0 && { types }) })),
  },
  {
    name: 'takes an empty list of streams for none',
    caughtBy: 'filters',
    breaks: reading(({ streamIds, ...rest }) => ({
      ...rest,
      ...(streamIds && streamIds.length > 0 && { streamIds }),
    })),
  },
  {
    name: 'takes an empty list of tags for nothing',
    caughtBy: 'filters',
    breaks: reading((options) => (options.tags?.length === 0 ? { ...options, limit: 0 } : options)),
  },
  {
    name: 'compares metadata without its types',
    caughtBy: 'filters',
    breaks: filtering('metadata', (event, wanted) => loosely(event.metadata, wanted)),
  },
  {
    name: 'counts the limit before the filters',
    caughtBy: 'filters',
    breaks: (store) => ({
      readAll: (options = {}) => {
        const { after = 0, until, direction = 'forwards', limit } = options
        if (limit === undefined) return store.readAll(options)
        return readOf(async () => {
          const range = { after, direction, limit, ...(until !== undefined && { until }) }
          const passing = new Set((await store.readAll(options).toArray()).map(({ id }) => id))
          return (await store.readAll(range).toArray()).filter(({ id }) => passing.has(id))
        })
      },
    }),
  },

  {
    name: 'reads the events of all tenants',
    caughtBy: 'tenants',
    breaks: (store, root) => ({ readAll: (options) => root.allTenants().readAll(options) }),
  },
  {
    name: 'gets events of other tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({
      getEvent: async (id) =>
        (await root.allTenants().readAll().toArray()).find((event) => event.id === id.toLowerCase()),
    }),
  },
  {
    name: 'counts the events of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ statistics: () => root.allTenants().statistics() }),
  },
  {
    name: 'has the last position of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ lastPosition: () => root.allTenants().lastPosition() }),
  },
  {
    name: 'lists the streams of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ listStreams: (options) => root.allTenants().listStreams(options) }),
  },
  {
    name: 'verifies all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ verify: (options) => root.allTenants().verify(options) }),
  },
  {
    name: 'writes for the default tenant',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ append: (...call) => root.append(...call) }),
  },
  {
    name: 'binds a bound handle to another tenant',
    caughtBy: 'tenants',
    breaks: (store, root) => (store === root ? {} : { forTenant: (tenantId) => root.forTenant(tenantId) }),
  },
  {
    name: 'lets a bound handle migrate',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ migrate: () => root.migrate() }),
  },
  {
    name: 'reads only one tenant across tenants',
    caughtBy: 'tenants',
    breaks: (store) => ({ allTenants: (): EventReader => store }),
  },

  {
    name: 'lists archived streams',
    caughtBy: 'archive',
    breaks: (store) => ({
      listStreams: (options) => store.listStreams({ ...options, includeArchived: true }),
    }),
  },
  {
    name: 'never lists archived streams',
    caughtBy: 'archive',
    breaks: (store) => ({
      listStreams: (options) => store.listStreams({ ...options, includeArchived: false }),
    }),
  },
  {
    name: 'hides the events of archived streams',
    caughtBy: 'archive',
    breaks: (store) => ({
      readStream: (streamId, options) =>
        readOf(async () =>
          (await store.getStream(streamId))?.archivedAt ? [] : store.readStream(streamId, options).toArray(),
        ),
    }),
  },
  {
    name: 'archives streams that do not exist',
    caughtBy: 'archive',
    breaks: (store) => ({
      archiveStream: (streamId) => store.archiveStream(streamId).catch(() => undefined),
    }),
  },
  {
    name: 'refuses to archive twice',
    caughtBy: 'archive',
    breaks: (store) => ({
      archiveStream: async (streamId) => {
        if ((await store.getStream(streamId))?.archivedAt) throw new Error('sabotage')
        await store.archiveStream(streamId)
      },
    }),
  },
  {
    name: 'lists streams in the order of UTF-16',
    caughtBy: 'ids',
    breaks: (store) => ({
      listStreams: (options) =>
        listed(async () =>
          (await all(store.listStreams(options))).toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1)),
        ),
    }),
  },
  {
    name: 'ignores the prefix of listStreams',
    caughtBy: 'list-streams',
    breaks: (store) => ({ listStreams: ({ prefix: _, ...rest } = {}) => store.listStreams(rest) }),
  },
  {
    name: 'includes the stream at after',
    caughtBy: 'list-streams',
    breaks: (store) => ({
      listStreams: (options = {}) =>
        listed(async () => {
          const { after, limit, ...rest } = options
          const streams = await all(store.listStreams(after === undefined ? options : rest))
          return (after === undefined ? streams : streams.filter(({ streamId }) => streamId >= after)).slice(
            0,
            limit,
          )
        }),
    }),
  },
  {
    name: 'finds a head for missing streams',
    caughtBy: 'streams',
    breaks: (store) => ({
      getStream: async (streamId) =>
        (await store.getStream(streamId)) ?? {
          tenantId: store.tenantId,
          streamId,
          streamType: 'stream',
          version: 0,
          createdAt: new Date(),
          updatedAt: new Date(),
        },
    }),
  },
]
