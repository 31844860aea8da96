import type { StreamInfo } from '@varve/core'
import { readOf, omit } from './wrap.js'
import type { Fault } from './wrap.js'

async function* listed(streams: () => Promise<StreamInfo[]>): AsyncGenerator<StreamInfo, undefined> {
  yield* await streams()
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export const streamFaults: Fault[] = [
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
    breaks: (store) => ({ listStreams: (options) => store.listStreams(omit(options ?? {}, 'prefix')) }),
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
