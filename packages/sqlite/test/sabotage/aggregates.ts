import { SerializationError } from '@varve/core'
import type { AppendResult, EventStore, StreamWrite } from '@varve/core'
import { omit, readOf, replaced, type Fault } from './wrap.js'

const appendingMany =
  (change: (writes: readonly StreamWrite[]) => readonly StreamWrite[]) =>
  (store: EventStore): Partial<EventStore> => ({
    appendMany: (writes) => store.appendMany(change(writes)),
  })

const isCheck = ({ events }: StreamWrite): boolean => events.length === 0
const anyVersion = (write: StreamWrite): StreamWrite => omit(write, 'expectedVersion')

/** What would be wrong with repositories and commands, seen from what they ask of a store. */
export const aggregateFaults: readonly Fault[] = [
  {
    name: 'stores what a repository decided on a state that is out of date',
    caughtBy: 'aggregates',
    breaks: (store) => ({
      append: (streamId, events, options = {}) =>
        store.append(streamId, events, omit(options, 'expectedVersion')),
    }),
  },
  {
    name: 'recognises no command of a repository that is repeated',
    caughtBy: 'aggregates',
    breaks: () => ({ getEvent: async () => undefined }),
  },
  {
    name: 'leaves the last event of a stream out',
    caughtBy: 'aggregates',
    breaks: (store) => ({
      readStream: (streamId, options) =>
        readOf(async () => (await store.readStream(streamId, options).toArray()).slice(0, -1)),
    }),
  },
  {
    name: 'does not check the streams that a command only read',
    caughtBy: 'commands',
    breaks: appendingMany((writes) =>
      writes.some((write) => !isCheck(write)) ? writes.filter((write) => !isCheck(write)) : writes,
    ),
  },
  {
    name: 'checks only the streams that a command only read',
    caughtBy: 'commands',
    breaks: appendingMany((writes) => writes.map((write) => (isCheck(write) ? write : anyVersion(write)))),
  },
  {
    name: 'stores the writes of a command one by one',
    caughtBy: 'commands',
    breaks: (store) => ({
      appendMany: async (writes) => {
        const results: AppendResult[] = []
        for (const write of writes) results.push(...(await store.appendMany([write])))
        return results
      },
    }),
  },
  {
    name: 'recognises no command over several streams that is repeated',
    caughtBy: 'commands',
    breaks: () => ({ getEvent: async () => undefined }),
  },
  {
    name: 'forgets the types of the streams that a command makes',
    caughtBy: 'commands',
    breaks: appendingMany((writes) => writes.map((write) => omit(write, 'streamType'))),
  },
  {
    name: 'saves no snapshots',
    caughtBy: 'aggregate-snapshots',
    breaks: (store) => ({ snapshots: replaced(store.snapshots, { save: async () => true }) }),
  },
  {
    name: 'cannot decode its snapshots',
    caughtBy: 'aggregate-snapshots',
    breaks: (store) => ({
      snapshots: replaced(store.snapshots, {
        atOrBefore: async () => {
          throw new SerializationError(1, 'broken')
        },
      }),
    }),
  },
]
