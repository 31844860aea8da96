import type { EventStore, RecordedEvent } from '@varve/core'
import { changingEvents, omit } from './wrap.js'
import type { Fault } from './wrap.js'

const changing =
  (change: (event: RecordedEvent) => Partial<RecordedEvent>) =>
  (store: EventStore): Partial<EventStore> =>
    changingEvents(store, (event) => ({ ...event, ...change(event) }))

export const eventFaults: Fault[] = [
  {
    name: 'cuts occurredAt to seconds',
    caughtBy: 'append',
    breaks: changing(({ occurredAt }) => ({
      occurredAt: new Date(Math.trunc(occurredAt.getTime() / 1_000) * 1_000),
    })),
  },
  { name: 'sorts tags', caughtBy: 'append', breaks: changing(({ tags }) => ({ tags: tags.toSorted() })) },
  {
    name: 'keeps a tag only once',
    caughtBy: 'append',
    breaks: changing(({ tags }) => ({ tags: [...new Set(tags)] })),
  },
  { name: 'forgets who did it', caughtBy: 'append', breaks: forgetting('createdBy') },
  { name: 'forgets the correlation', caughtBy: 'append', breaks: forgetting('correlationId') },
  {
    name: 'has absent fields as undefined',
    caughtBy: 'append',
    breaks: changing((event) => ({ causationId: event.causationId as string })),
  },
  {
    name: 'keeps the letter case of event ids',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const result = await store.append(streamId, events, options)
        return {
          ...result,
          events: result.events.map((event, index) => ({ ...event, id: events[index]?.id ?? event.id })),
        }
      },
    }),
  },
  {
    name: 'counts characters for bytes',
    caughtBy: 'append',
    breaks: changing(({ data }) => ({ sizeBytes: JSON.stringify(data).length })),
  },
  {
    name: 'leaves a gap in the versions',
    caughtBy: 'append',
    breaks: changing(({ version }) => ({ version: version < 3 ? version : version + 1 })),
  },
  {
    name: 'starts versions at 0',
    caughtBy: 'append',
    breaks: changing(({ version }) => ({ version: version - 1 })),
  },
  {
    name: 'hands out positions in turned order',
    caughtBy: 'append',
    breaks: changing(({ position }) => ({ position: 1_000_000 - position })),
  },
  {
    name: 'gives all events of an append one position',
    caughtBy: 'append',
    breaks: (store) => ({
      append: async (...call) => {
        const result = await store.append(...call)
        return { ...result, events: result.events.map((event) => ({ ...event, position: result.position })) }
      },
    }),
  },
  {
    name: 'has a constant checksum',
    caughtBy: 'integrity',
    breaks: changing(() => ({ checksum: '0'.repeat(64) })),
  },
]

function forgetting(name: 'createdBy' | 'correlationId') {
  return (store: EventStore): Partial<EventStore> => changingEvents(store, (event) => omit(event, name))
}
