import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import type { EventStore } from '../event-store.js'

/** What repositories and commands need: a store's handle has it, and so has a transaction. */
export type EventAccess = Pick<
  EventStore,
  'tenantId' | 'append' | 'appendMany' | 'readStream' | 'getStream' | 'getEvent' | 'snapshots'
>

/** @throws InvalidArgumentError for what is neither. */
export function requireStore(store: EventAccess): void {
  if (typeof store?.readStream === 'function' && typeof store.append === 'function') return
  throw new InvalidArgumentError(
    'store',
    `must be an event store, or a transaction of one, is ${describe(store)}`,
  )
}
