import { defineAggregate } from '@varve/core'
import { z } from 'zod'

const movement = z.object({ delta: z.number().int(), reason: z.string() })

export const itemEvents = {
  'inventory.item.created': z.object({ name: z.string() }),
  'inventory.item.stock_adjusted': movement,
  'inventory.item.adjustment_rejected': movement,
}

export interface Item {
  readonly name?: string
  readonly quantity: number
}

const nothing: Item = { quantity: 0 }

export const item = defineAggregate({
  type: 'item',
  events: itemEvents,
  initialState: nothing,
  evolve(state, event) {
    switch (event.type) {
      case 'inventory.item.created':
        return { ...state, name: event.data.name }
      case 'inventory.item.stock_adjusted':
        return { ...state, quantity: state.quantity + event.data.delta }
      default:
        return state
    }
  },
})

export const create = (name: string) => (state: Item) => {
  if (state.name !== undefined) throw new Error('there is such an item already')
  return { type: 'inventory.item.created', data: { name } } as const
}

/** A movement of nothing is a mistake of the caller. */
export class ZeroDeltaError extends Error {}

/** What the shelf cannot give is refused by an event: asked again, the answer stays the same. */
export const adjust = (delta: number, reason: string) => {
  if (delta === 0) throw new ZeroDeltaError('a movement moves something')
  return (state: Item) => {
    if (state.name === undefined) throw new Error('there is no such item')
    const type =
      state.quantity + delta < 0 ? 'inventory.item.adjustment_rejected' : 'inventory.item.stock_adjusted'
    return { type, data: { delta, reason } } as const
  }
}
