import { createRepository, defineProcess, executeCommand, type CommandExecution } from '@varve/core'
import { z } from 'zod'
import { transferEvents } from './events.ts'
import { release, reserve, stock, stockEvents } from './stock.ts'
import { transfer } from './transfer.ts'

export const SHOP = 'account-shop'
const DAY_MS = 86_400_000

const purchased = z.object({
  order: z.string(),
  item: z.string(),
  quantity: z.number().int().positive(),
  buyer: z.string(),
  cents: z.number().int().positive(),
})
export type Order = z.infer<typeof purchased>

const { 'stock.reserved': reserved, 'stock.refused': refused } = stockEvents

const stockOf = ({ store }: CommandExecution) => createRepository(store, stock)
const asCommand = ({ commandId, correlationId }: CommandExecution) => ({
  commandId,
  envelope: { correlationId },
  retries: 20,
})

/** What an order sets in motion: stock is reserved, then paid for; what cannot be paid for is released again. */
export const purchase = defineProcess({
  name: 'purchase',
  events: {
    'order.placed': purchased,
    'stock.reserved': reserved,
    'stock.refused': refused,
    ...transferEvents,
  },
  correlate: (event) => (event.type === 'order.placed' ? event.data.order : event.correlationId),
  initialState: (): { order?: Order } => ({}),
  commands: {
    reserve: ({ order, item, quantity }: Order, execution: CommandExecution) =>
      stockOf(execution).handle(item, reserve(order, quantity), asCommand(execution)),
    release: ({ order, item }: Order, execution: CommandExecution) =>
      stockOf(execution).handle(item, release(order), asCommand(execution)),
    pay: ({ order, buyer, cents }: Order, execution: CommandExecution) =>
      executeCommand(
        execution.store,
        transfer,
        { id: order, from: buyer, to: SHOP, cents },
        asCommand(execution),
      ),
  },
  handles: {
    'order.placed': (_, { data }) => ({
      state: { order: data },
      commands: [{ command: 'reserve', data }],
      timeouts: [{ name: 'stuck', afterMs: DAY_MS }],
    }),
    'stock.reserved': ({ order }) =>
      order === undefined ? undefined : { commands: [{ command: 'pay', data: order }], cancel: ['stuck'] },
    'stock.refused': (_, { data }) => ({
      ...ended(data.order, 'order.rejected', 'out of stock'),
      complete: true,
    }),
    'transfer.completed': (_, __, { correlationId }) => ({
      ...ended(correlationId, 'order.confirmed'),
      complete: true,
    }),
    'transfer.refused': (state, { data }, { correlationId }) => ({
      ...undone(state, correlationId, data.reason),
      complete: true,
    }),
  },
  timeouts: {
    // carried out behind the reservation, should that be on its way still
    stuck: (state, _, { correlationId }) => ({
      ...undone(state, correlationId, 'no answer in time'),
      complete: true,
    }),
  },
})

function ended(streamId: string, type: 'order.confirmed' | 'order.rejected', reason?: string) {
  return { emit: [{ streamId, type, data: reason === undefined ? {} : { reason } }] }
}

/** Takes back what was done so far. */
function undone({ order }: { order?: Order }, streamId: string, reason: string) {
  const commands = order === undefined ? [] : [{ command: 'release' as const, data: order }]
  return { ...ended(streamId, 'order.rejected', reason), commands }
}
