import type { EventStore, JsonObject, JsonValue, NewEvent, RecordedEvent } from '@varve/core'
import { changingEvents } from './sabotage-wrap.js'
import type { Fault } from './sabotage-wrap.js'

const deep = (
  value: JsonValue,
  change: (leaf: JsonValue, key?: string) => JsonValue | undefined,
): JsonValue => {
  if (Array.isArray(value)) return value.map((item) => deep(item, change))
  if (typeof value !== 'object' || value === null) return change(value) ?? null
  const members = Object.entries(value).flatMap(([key, member]) =>
    change(null, key) === undefined ? [] : [[key, deep(member, change)] as const],
  )
  return Object.fromEntries(members)
}

/** Changes the leaves of data and metadata; a key is left out where `change` gives nothing for it. */
const changingData =
  (change: (leaf: JsonValue, key?: string) => JsonValue | undefined) =>
  (store: EventStore): Partial<EventStore> =>
    changingEvents(store, (event) => ({
      ...event,
      data: deep(event.data, change),
      metadata: deep(event.metadata, change) as JsonObject,
    }))

const changing =
  (change: (event: RecordedEvent) => Partial<RecordedEvent>) =>
  (store: EventStore): Partial<EventStore> =>
    changingEvents(store, (event) => ({ ...event, ...change(event) }))

/** Changes the events on their way in. */
const taking =
  (change: (event: NewEvent) => NewEvent) =>
  (store: EventStore): Partial<EventStore> => ({
    append: (streamId, events, options) => store.append(streamId, events.map(change), options),
  })

/** Calls every stream by another name, everywhere. */
const renaming =
  (rename: (streamId: string) => string) =>
  (store: EventStore): Partial<EventStore> => ({
    append: (streamId, events, options) => store.append(rename(streamId), events, options),
    appendMany: (writes) =>
      store.appendMany(writes.map((write) => ({ ...write, streamId: rename(write.streamId) }))),
    readStream: (streamId, options) => store.readStream(rename(streamId), options),
    getStream: (streamId) => store.getStream(rename(streamId)),
    archiveStream: (streamId) => store.archiveStream(rename(streamId)),
  })

const onText = (change: (text: string) => JsonValue) => (leaf: JsonValue) =>
  typeof leaf === 'string' ? change(leaf) : leaf
const onNumber = (change: (n: number) => JsonValue) => (leaf: JsonValue) =>
  typeof leaf === 'number' ? change(leaf) : leaf

export const dataFaults: Fault[] = [
  {
    name: 'stores numbers in single precision',
    caughtBy: 'data',
    breaks: changingData(onNumber(Math.fround)),
  },
  {
    name: 'cuts numbers to 15 digits',
    caughtBy: 'data',
    breaks: changingData(onNumber((n) => Number(n.toPrecision(15)))),
  },
  {
    name: 'hands out large integers as texts',
    caughtBy: 'data',
    breaks: changingData(onNumber((n) => (Math.abs(n) > 2 ** 53 ? String(n) : n))),
  },
  {
    name: 'normalises texts',
    caughtBy: 'data',
    breaks: changingData(onText((text) => text.normalize('NFC'))),
  },
  { name: 'trims texts', caughtBy: 'data', breaks: changingData(onText((text) => text.trim())) },
  {
    name: 'replaces what lies beyond the basic plane',
    caughtBy: 'data',
    breaks: changingData(onText((text) => text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '?'))),
  },
  {
    name: 'takes texts that look like numbers for numbers',
    caughtBy: 'data',
    breaks: changingData(onText((text) => (/^\d+$/.test(text) ? Number(text) : text))),
  },
  {
    name: 'takes texts that look like dates for dates',
    caughtBy: 'data',
    breaks: changingData(
      onText((text) => (/^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text).toISOString().slice(0, 19) : text)),
    ),
  },
  {
    name: 'drops the empty key',
    caughtBy: 'data',
    breaks: changingData((leaf, key) => (key === '' ? undefined : leaf)),
  },
  {
    name: 'drops a key named __proto__',
    caughtBy: 'data',
    breaks: changingData((leaf, key) => (key === '__proto__' ? undefined : leaf)),
  },
  {
    name: 'drops keys with a dot',
    caughtBy: 'data',
    breaks: changingData((leaf, key) => (key?.includes('.') ? undefined : leaf)),
  },
  {
    name: 'keeps -0 in the result of append',
    caughtBy: 'data',
    breaks: (store) => ({
      append: async (streamId, events, options) => {
        const result = await store.append(streamId, events, options)
        return {
          ...result,
          events: result.events.map((event, index) => ({ ...event, data: events[index]?.data ?? null })),
        }
      },
    }),
  },
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
  { name: 'forgets who did it', caughtBy: 'append', breaks: changingEvents1('createdBy') },
  { name: 'forgets the correlation', caughtBy: 'append', breaks: changingEvents1('correlationId') },
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
  {
    name: 'merges streams whose ids differ by letter case',
    caughtBy: 'ids',
    breaks: renaming((streamId) => streamId.toLowerCase()),
  },
  {
    name: 'trims blanks behind stream ids',
    caughtBy: 'ids',
    breaks: renaming((streamId) => streamId.trimEnd()),
  },
  {
    name: 'normalises stream ids',
    caughtBy: 'ids',
    breaks: renaming((streamId) => streamId.normalize('NFKC')),
  },
  {
    name: 'merges streams whose ids differ by accents',
    caughtBy: 'ids',
    breaks: renaming((streamId) => streamId.normalize('NFD').replaceAll(/\p{Mn}/gu, '')),
  },
  {
    name: 'strips U+0000',
    caughtBy: 'limits',
    breaks: taking((event) => ({
      ...event,
      data: deep(
        event.data,
        onText((text) => text.replaceAll('\u0000', '')),
      ),
    })),
  },
  {
    name: 'repairs lone surrogates',
    caughtBy: 'limits',
    breaks: taking((event) => ({ ...event, type: event.type.toWellFormed() })),
  },
  {
    name: 'takes whatever JSON.stringify makes of data',
    caughtBy: 'limits',
    breaks: taking((event) => ({ ...event, data: throughJson(event.data) })),
  },
  {
    name: 'cuts long texts',
    caughtBy: 'limits',
    breaks: taking((event) => ({ ...event, type: event.type.slice(0, 255) })),
  },
  {
    name: 'keeps only 32 tags',
    caughtBy: 'limits',
    breaks: taking((event) => ({ ...event, ...(event.tags && { tags: event.tags.slice(0, 32) }) })),
  },
  {
    name: 'takes one byte more than an event may have',
    caughtBy: 'limits',
    opens: (options) => ({
      ...options,
      ...(options.maxEventBytes && { maxEventBytes: options.maxEventBytes + 1 }),
    }),
  },
  {
    name: 'takes one byte less than an event may have',
    caughtBy: 'limits',
    opens: (options) => ({
      ...options,
      ...(options.maxEventBytes && { maxEventBytes: options.maxEventBytes - 1 }),
    }),
  },
  {
    name: 'takes one byte more than an append may have',
    caughtBy: 'limits',
    opens: (options) => ({
      ...options,
      ...(options.maxAppendBytes && { maxAppendBytes: options.maxAppendBytes + 1 }),
    }),
  },
]

function changingEvents1(name: 'createdBy' | 'correlationId') {
  return (store: EventStore): Partial<EventStore> => changingEvents(store, ({ [name]: _, ...event }) => event)
}

function throughJson(data: JsonValue): JsonValue {
  try {
    return JSON.parse(JSON.stringify(data) ?? 'null') as JsonValue
  } catch {
    return data
  }
}
