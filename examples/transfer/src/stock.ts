import { defineAggregate } from '@varve/core'
import { z } from 'zod'

const part = z.object({ order: z.string(), quantity: z.number().int().positive() })

export const stockEvents = {
  'stock.added': z.object({ quantity: z.number().int().positive() }),
  'stock.reserved': part,
  'stock.released': part,
  'stock.refused': part,
}

export interface Stock {
  readonly free: number
  readonly reserved: Readonly<Record<string, number>>
}

const empty: Stock = { free: 0, reserved: {} }

export const stock = defineAggregate({
  type: 'stock',
  events: stockEvents,
  initialState: empty,
  evolve({ free, reserved }, event) {
    switch (event.type) {
      case 'stock.added':
        return { free: free + event.data.quantity, reserved }
      case 'stock.reserved': {
        const { order, quantity } = event.data
        return { free: free - quantity, reserved: { ...reserved, [order]: quantity } }
      }
      case 'stock.released': {
        const { [event.data.order]: _, ...others } = reserved
        return { free: free + event.data.quantity, reserved: others }
      }
      default:
        return { free, reserved }
    }
  },
})

/** A refusal is an event, too: somebody waits for the answer. */
export const reserve = (order: string, quantity: number) => (state: Stock) =>
  ({ type: quantity > state.free ? 'stock.refused' : 'stock.reserved', data: { order, quantity } }) as const

/** What is not reserved need not be released. */
export const release = (order: string) => (state: Stock) => {
  const quantity = state.reserved[order]
  return quantity === undefined ? undefined : ({ type: 'stock.released', data: { order, quantity } } as const)
}
