import { defineAggregate, type Aggregate } from '../aggregate/aggregate.js'
import { eventData } from '../aggregate/event-definitions.js'
import type { EventStore } from '../event-store.js'

interface Moved {
  readonly cents: number
}

export const accountEvents = {
  'account.opened': eventData<{ owner: string }>(),
  'money.deposited': eventData<Moved>(),
  'money.withdrawn': eventData<Moved>(),
}

export interface Account {
  readonly owner: string
  readonly cents: number
  /** Events that were folded. */
  readonly events: number
}

const noAccount: Account = { owner: '', cents: 0, events: 0 }

/** The aggregate that the cases share; each is told how often one of its events is folded. */
export function accountAggregate(
  settings: { schemaVersion?: number; onFold?: () => void } = {},
): Aggregate<Account, typeof accountEvents> {
  return defineAggregate({
    type: 'account',
    events: accountEvents,
    initialState: noAccount,
    schemaVersion: settings.schemaVersion,
    evolve(state, event) {
      settings.onFold?.()
      const events = state.events + 1
      switch (event.type) {
        case 'account.opened':
          return { ...state, events, owner: event.data.owner }
        case 'money.deposited':
          return { ...state, events, cents: state.cents + event.data.cents }
        default:
          return { ...state, events, cents: state.cents - event.data.cents }
      }
    },
  })
}

/** A stream of `count` deposits of one cent each. */
export async function deposits(store: EventStore, streamId: string, count: number): Promise<void> {
  const one = { type: 'money.deposited', data: { cents: 1 } }
  await store.append(
    streamId,
    Array.from({ length: count }, () => one),
    { streamType: 'account' },
  )
}
