import type { EventStore, JsonObject, JsonValue } from '@varve/core'
import { changingEvents } from './wrap.js'
import type { Fault } from './wrap.js'

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
]
