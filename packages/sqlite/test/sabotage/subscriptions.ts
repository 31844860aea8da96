import type { EventReader, RecordedEvent, SubscribeOptions, Subscription } from '@varve/core'
import { omit, replaced, type Fault } from './wrap.js'

type Change = (subscribe: EventReader['subscribe'], options: SubscribeOptions) => Subscription

/** A store, and a reader across tenants, that subscribe otherwise. */
const fault = (name: string, change: Change): Fault => ({
  name,
  caughtBy: 'subscriptions',
  breaks: (store) => ({ subscribe: (options = {}) => change(store.subscribe.bind(store), options) }),
  breaksReader: (reader) => ({ subscribe: (options = {}) => change(reader.subscribe.bind(reader), options) }),
})

/** The subscription with other events. */
function giving(
  subscription: Subscription,
  events: (from: AsyncIterable<RecordedEvent>) => AsyncGenerator<RecordedEvent>,
): Subscription {
  return replaced(subscription, { [Symbol.asyncIterator]: () => events(subscription) })
}

export const subscriptionFaults: readonly Fault[] = [
  fault('ends a subscription when it has caught up', (subscribe, options) =>
    giving(subscribe(options), async function* (from) {
      for await (const event of from) {
        yield event
        if (event.position % 100 === 0) return
      }
    }),
  ),
  fault('gives an event twice now and then', (subscribe, options) =>
    giving(subscribe(options), async function* (from) {
      for await (const event of from) {
        yield event
        if (event.position % 100 === 0) yield event
      }
    }),
  ),
  fault('loses an event now and then', (subscribe, options) =>
    giving(subscribe(options), async function* (from) {
      for await (const event of from) if (event.position % 100 !== 0) yield event
    }),
  ),
  fault('subscribes from the start, whatever was asked', (subscribe, options) =>
    subscribe(omit(options, 'after')),
  ),
  fault('gives the event at the position, too', (subscribe, options) =>
    subscribe({
      ...options,
      ...(typeof options.after === 'number' && { after: Math.max(0, options.after - 1) }),
    }),
  ),
  fault('forgets the filter by tags', (subscribe, options) => subscribe(omit(options, 'tags'))),
  fault('forgets the filter by metadata', (subscribe, options) => subscribe(omit(options, 'metadata'))),
  fault('follows on after its signal', (subscribe, options) => subscribe(omit(options, 'signal'))),
  fault('does not tell how far it has come', (subscribe, options) =>
    replaced(subscribe(options), { position: 0 }),
  ),
]
