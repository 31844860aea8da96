import type { EventStore } from '../event-store.js'

/** What repositories and commands need: a store's handle has it, and so has a transaction. */
export type EventAccess = Pick<
  EventStore,
  'tenantId' | 'append' | 'appendMany' | 'readStream' | 'getStream' | 'getEvent' | 'snapshots'
>
