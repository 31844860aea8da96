import type { EventFilter, EventStore, ReadAllOptions, RecordedEvent } from '@varve/core'
import { readOf, omit } from './wrap.js'
import type { Fault } from './wrap.js'

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

const without = (name: keyof ReadAllOptions) => reading((options) => omit(options, name))

const loosely = (actual: unknown, wanted: unknown): boolean =>
  typeof wanted === 'object' && wanted !== null
    ? Object.entries(wanted).every(([key, leaf]) =>
        loosely((actual as Record<string, unknown> | undefined)?.[key], leaf),
      )
    : String(actual) === String(wanted)

export const filterFaults: Fault[] = [
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
]
