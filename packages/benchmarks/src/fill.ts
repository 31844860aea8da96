import type { EventStore } from '@varve/core'
import { newOrder } from './payload.ts'

const PER_CALL = 500

/** Appends `events` events in calls of 500, to streams of `perStream` events, `callers` calls at a time. */
export async function fillStore(
  store: Pick<EventStore, 'append' | 'appendMany'>,
  {
    events,
    perStream,
    prefix,
    callers,
  }: { events: number; perStream: number; prefix: string; callers: number },
): Promise<void> {
  const calls = Math.ceil(events / PER_CALL)
  const orders = (first: number, count: number) =>
    Array.from({ length: count }, (_, index) => newOrder(first + index))
  const call = (index: number) => {
    const first = index * PER_CALL
    if (perStream >= PER_CALL)
      return store.append(`${prefix}-${Math.floor(first / perStream)}`, orders(first, PER_CALL))
    const streams = PER_CALL / perStream
    return store.appendMany(
      Array.from({ length: streams }, (_, at) => ({
        streamId: `${prefix}-${index * streams + at}`,
        events: orders(first + at * perStream, perStream),
      })),
    )
  }
  let next = 0
  const filler = async () => {
    for (let index = next++; index < calls; index = next++) await call(index)
  }
  await Promise.all(Array.from({ length: callers }, filler))
}
