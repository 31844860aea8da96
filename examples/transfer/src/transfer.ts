import { defineCommand } from '@varve/core'
import { accountEvents, limitEvents, transferEvents } from './events.ts'
import { LIMITS } from './limits.ts'

export interface Transfer {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly cents: number
}

interface Known {
  /** Of the accounts that are open. */
  readonly balances: ReadonlyMap<string, number>
  /** The most that may be transferred at once. */
  readonly most: number
}

export const transferStream = (id: string): string => `transfer-${id}`

/**
 * Decided on both accounts, the limits and the transfer's own stream, and stored only if none of them has changed: the limits
 * too, to which it writes nothing.
 */
export const transfer = defineCommand({
  name: 'transfer',
  events: { ...accountEvents, ...limitEvents, ...transferEvents },
  streams: ({ id, from, to }: Transfer) => [
    { streamId: transferStream(id), streamType: 'transfer' },
    { streamId: from, streamType: 'account' },
    { streamId: to, streamType: 'account' },
    LIMITS,
  ],
  initialState: (): Known => ({ balances: new Map(), most: Number.MAX_SAFE_INTEGER }),
  evolve(known, event) {
    const { balances } = known
    const change = (by: number): Known => {
      const balance = (balances.get(event.streamId) ?? 0) + by
      return { ...known, balances: new Map(balances).set(event.streamId, balance) }
    }
    switch (event.type) {
      case 'account.opened':
        return change(0)
      case 'money.deposited':
      case 'money.received':
        return change(event.data.cents)
      case 'money.sent':
        return change(-event.data.cents)
      case 'limit.set':
        return { ...known, most: event.data.cents }
      case 'limit.lifted':
        return { ...known, most: Number.MAX_SAFE_INTEGER }
      default:
        return known
    }
  },
  decide({ id, from, to, cents }, known) {
    const reason = refusalOf({ id, from, to, cents }, known)
    if (reason !== undefined) {
      return [
        {
          streamId: transferStream(id),
          events: [{ type: 'transfer.refused', data: { from, to, cents, reason } }],
        },
      ]
    }
    return [
      { streamId: transferStream(id), events: [{ type: 'transfer.completed', data: { from, to, cents } }] },
      { streamId: from, events: [{ type: 'money.sent', data: { cents, to, transfer: id } }] },
      { streamId: to, events: [{ type: 'money.received', data: { cents, from, transfer: id } }] },
    ]
  },
})

function refusalOf({ from, to, cents }: Transfer, { balances, most }: Known): string | undefined {
  if (from === to) return 'both accounts are the same'
  if (!balances.has(from)) return 'the sending account does not exist'
  if (!balances.has(to)) return 'the receiving account does not exist'
  if (cents > most) return 'above the limit'
  return cents > (balances.get(from) ?? 0) ? 'insufficient funds' : undefined
}
