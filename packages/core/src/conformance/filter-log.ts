import type { NewEvent, RecordedEvent } from '../event.js'
import type { EventFilter, EventReader, EventStore, ReadAllOptions } from '../event-store.js'
import type { JsonObject } from '../json.js'
import { matches } from './filter-model.js'
import { at, event, idsOf, same, upTo } from './helpers.js'
import { type Case } from './topic.js'

const metadatas: JsonObject[] = [
  {},
  { n: 1 },
  { n: '1' },
  { n: true },
  { n: 'true' },
  { n: null },
  { n: 'null' },
  { n: 0 },
  { n: false },
  { n: '' },
  { n: [1] },
  { n: { a: 1 } },
  { n: { a: 1, b: 'x' }, m: 2 },
  { n: { a: [1, 2] } },
  { n: [{ a: 1 }] },
  { n: 1.5, 'a.b': 1, a: { b: 2 } },
  { n: 9007199254740991, 'a"b': 'q"\\', $: '$' },
  { n: 'Grüße 😀', N: 1, ' n': 1, '': 'empty', '0': 'zero' },
]

/** A log in which every filter finds some events and leaves out others. */
export async function aLog(store: EventStore): Promise<RecordedEvent[]> {
  const types = [
    'money.deposited',
    'money.withdrawn',
    'money',
    'moneyx.deposited',
    'money.in.cash',
    'mo_ey.deposited',
    'Money.deposited',
    'm%',
  ]
  const streamTypes = ['account', 'order', 'account.savings']
  const log: RecordedEvent[] = []
  for (const n of upTo(36)) {
    const more: Partial<NewEvent> = {
      tags: [...(n % 2 ? ['two'] : []), ...(n % 3 ? ['three'] : []), ...(n % 5 ? [`five:${n % 5}`] : [])],
      metadata: at(metadatas, n % metadatas.length),
      ...(n % 3 && { correlationId: `c-${n % 3}` }),
      ...(n % 4 && { causationId: `d-${n % 4}` }),
      ...(n % 5 && { createdBy: `e-${n % 2}` }),
      occurredAt: new Date(1_000_000 - n),
    }
    const stream = n % 6
    const result = await store.append(`s-${stream}`, [event(at(types, n % types.length), n, more)], {
      streamType: at(streamTypes, stream % 3),
    })
    log.push(...result.events)
  }
  return log
}

/** Both directions, with and without range and limit, through the tenant's handle: all as the model says. */
export async function agree(
  store: EventReader,
  log: readonly RecordedEvent[],
  filter: EventFilter,
): Promise<void> {
  const found = log.filter((one) => matches(one, filter))
  const [after, until] = [at(log, 3).position, at(log, -4).position]
  const inRange = found.filter(({ position }) => position > after && position <= until)
  const check = async (options: ReadAllOptions, expected: readonly RecordedEvent[]): Promise<void> =>
    same(idsOf(await store.readAll(options).toArray()), idsOf(expected), JSON.stringify(options))
  await check(filter, found)
  await check({ ...filter, direction: 'backwards' }, found.toReversed())
  await check({ ...filter, limit: 2 }, found.slice(0, 2))
  await check({ ...filter, direction: 'backwards', limit: 2 }, found.toReversed().slice(0, 2))
  await check({ ...filter, after, until }, inRange)
  await check({ ...filter, after, until, direction: 'backwards', limit: 3 }, inRange.toReversed().slice(0, 3))
  same(await store.readAll(filter).count(), found.length, `count of ${JSON.stringify(filter)}`)
  same(await store.readAll(filter).last(), found.at(-1), `last of ${JSON.stringify(filter)}`)
}

/** A case that checks each of the filters on that log. */
export const filtering =
  (...filters: EventFilter[]): Case =>
  async ({ store }) => {
    const log = await aLog(store)
    for (const filter of filters) await agree(store, log, filter)
  }
