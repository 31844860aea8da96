import { defineAggregate } from '@varve/core'
import { limitEvents } from './events.ts'

/** The one stream that every transfer reads, and none writes to. */
export const LIMITS = 'limits'

export const limits = defineAggregate({
  type: 'limits',
  events: limitEvents,
  initialState: (): { most: number | null } => ({ most: null }),
  evolve: (_, event) => ({ most: event.type === 'limit.set' ? event.data.cents : null }),
})
