import type { EventStore, JsonValue, NewEvent } from '@varve/core'
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

/** Changes the events on their way in. */
const taking =
  (change: (event: NewEvent) => NewEvent) =>
  (store: EventStore): Partial<EventStore> => ({
    append: (streamId, events, options) => store.append(streamId, events.map(change), options),
  })

const onText = (change: (text: string) => JsonValue) => (leaf: JsonValue) =>
  typeof leaf === 'string' ? change(leaf) : leaf

export const limitFaults: Fault[] = [
  {
    name: 'strips U+0000',
    caughtBy: 'json-limits',
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
    caughtBy: 'json-limits',
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

function throughJson(data: JsonValue): JsonValue {
  try {
    return JSON.parse(JSON.stringify(data) ?? 'null') as JsonValue
  } catch {
    return data
  }
}
