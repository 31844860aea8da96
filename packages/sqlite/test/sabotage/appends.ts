import { isStreamArchivedError, newEvent } from '@varve/core'
import type { AppendOptions, AppendResult, StreamWrite } from '@varve/core'
import { setImmediate } from 'node:timers/promises'
import { omit } from './wrap.js'
import type { Fault } from './wrap.js'

const withoutExpectation = (options: AppendOptions = {}): AppendOptions => omit(options, 'expectedVersion')

const asChecked = (write: StreamWrite): AppendResult => ({
  streamId: write.streamId,
  version: typeof write.expectedVersion === 'number' ? write.expectedVersion : 0,
  position: 0,
  events: [],
  duplicate: false,
})

let calls = 0

export const appendFaults: Fault[] = [
  {
    name: 'calls everything a repetition',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (...call) => ({ ...(await store.append(...call)), duplicate: true }),
    }),
  },
  {
    name: 'stores everything twice',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const result = await store.append(streamId, events, options)
        const again = events.map((event) => omit(event, 'id'))
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
      appendMany: (writes) => store.appendMany(writes.map((write) => omit(write, 'expectedVersion'))),
    }),
  },
  {
    name: 'makes a stream of a missing one that is only checked',
    caughtBy: 'checks',
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
    caughtBy: 'ordering',
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
]
