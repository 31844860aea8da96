import { defineProcess } from '../process/define-process.js'
import { eventData } from '../aggregate/event-definitions.js'
import type { CommandExecution } from '../process/process.js'
import type { EventStore } from '../event-store.js'

interface Order {
  readonly order: string
}

const events = {
  'order.placed': eventData<Order & { fails?: number; within?: number; before?: string }>(),
  'stock.reserved': eventData<Order>(),
  'payment.refused': eventData<Order>(),
  'payment.taken': eventData<Order>(),
  'order.held': eventData<Order>(),
}

type Happened = 'stock.reserved' | 'stock.released' | 'payment.taken' | 'payment.refused' | 'reminder.sent'

/** Carries out a command in its plainest form: one event that says so, once. */
async function happens(
  type: Happened,
  data: Order,
  { store, commandId, causationId }: CommandExecution,
): Promise<void> {
  await store.append(`work-${data.order}`, [{ type, data: { ...data }, id: commandId, causationId }])
}

/** The process that the cases share: stock, then payment; what was reserved is released when it is not paid. */
export function checkout(
  settings: { name?: string; refuses?: boolean; silent?: boolean; fails?: () => boolean } = {},
) {
  return defineProcess({
    name: settings.name ?? 'checkout',
    events,
    correlate: (event) => event.data.order,
    initialState: { steps: [] as string[] },
    commands: {
      reserve: (data: Order, execution: CommandExecution) => happens('stock.reserved', data, execution),
      release: (data: Order, execution: CommandExecution) => happens('stock.released', data, execution),
      remind: (data: Order, execution: CommandExecution) => happens('reminder.sent', data, execution),
      async pay(data: Order, execution: CommandExecution) {
        if (settings.fails?.() === true) throw new Error('the bank cannot be reached')
        if (settings.silent === true) return
        await happens(settings.refuses === true ? 'payment.refused' : 'payment.taken', data, execution)
      },
    },
    handles: {
      'order.placed': ({ steps }, { data: { order, within, before } }) => ({
        state: { steps: [...steps, 'placed'] },
        commands: [{ command: 'reserve', data: { order } }],
        timeouts: [
          ...(within === undefined ? [] : [{ name: 'unpaid' as const, afterMs: within }]),
          ...(before === undefined
            ? []
            : [{ name: 'unpaid' as const, at: new Date(before), data: { before } }]),
        ],
      }),
      'stock.reserved': ({ steps }, { data }) => ({
        state: { steps: [...steps, 'reserved'] },
        commands: [{ command: 'pay', data }],
      }),
      'payment.refused': ({ steps }, { data }) => ({
        state: { steps: [...steps, 'refused'] },
        commands: [{ command: 'release', data }],
        emit: [{ streamId: data.order, type: 'order.cancelled', data: { why: 'not paid' }, tags: ['sad'] }],
        complete: true,
      }),
      'payment.taken': ({ steps }, { data }) => ({
        state: { steps: [...steps, 'paid'] },
        emit: [
          { streamId: data.order, type: 'order.confirmed', data: {} },
          {
            streamId: `parcel-${data.order}`,
            streamType: 'parcel',
            type: 'parcel.asked',
            data: { for: data.order },
          },
        ],
        cancel: ['unpaid'],
      }),
      'order.held': () => {
        throw new Error('nobody knows how to hold an order')
      },
    },
    timeouts: {
      unpaid: ({ steps }, { data }, { correlationId }) => ({
        state: { steps: [...steps, 'unpaid'] },
        commands: [{ command: 'remind', data: { order: correlationId } }],
        emit: [{ streamId: correlationId, type: 'order.overdue', data }],
      }),
    },
  })
}

export function place(store: EventStore, order: string, more: { within?: number; before?: string } = {}) {
  return store.append(order, [{ type: 'order.placed', data: { order, ...more } }], { streamType: 'order' })
}

export async function typesIn(store: EventStore, streamId: string): Promise<string[]> {
  return (await store.readStream(streamId).toArray()).map(({ type }) => type)
}
