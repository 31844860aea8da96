import type { RecordedEvent } from '@varve/core'
import { type Cents, toCents } from './money.ts'

interface Event<Type extends string, Data> {
  readonly type: Type
  readonly data: Data
}

// type aliases, not interfaces: only they count as JSON for TypeScript
type Movement = { aggregateId: string; amount: string; reference: string }
type TransferPart = Movement & { counterparty: string }
type Remark = { aggregateId: string; reason: string }

export type AccountEvent =
  | Event<'account.created', { aggregateId: string; accountNumber: string; initialBalance: string }>
  | Event<'account.frozen', Remark>
  | Event<'account.unfrozen', Remark>
  | Event<'account.closed', Remark>
  | Event<'money.deposited', Movement>
  | Event<'money.withdrawn', Movement>
  | Event<'money.transferred_out', TransferPart>
  | Event<'money.transferred_in', TransferPart>

export interface Account {
  readonly status: 'missing' | 'open' | 'frozen' | 'closed'
  readonly accountNumber: string
  readonly balance: Cents
  /** Of the stream: what an append on top of this state expects. */
  readonly version: number
}

export const noAccount: Account = { status: 'missing', accountNumber: '', balance: 0n, version: 0 }

/** The state after one more event. */
export function evolve(account: Account, recorded: RecordedEvent): Account {
  const { version } = recorded
  const event = recorded as unknown as AccountEvent
  switch (event.type) {
    case 'account.created': {
      const { accountNumber, initialBalance } = event.data
      return { status: 'open', accountNumber, balance: toCents(initialBalance), version }
    }
    case 'account.frozen':
      return { ...account, status: 'frozen', version }
    case 'account.unfrozen':
      return { ...account, status: 'open', version }
    case 'account.closed':
      return { ...account, status: 'closed', version }
    case 'money.deposited':
    case 'money.transferred_in':
      return { ...account, balance: account.balance + toCents(event.data.amount), version }
    case 'money.withdrawn':
    case 'money.transferred_out':
      return { ...account, balance: account.balance - toCents(event.data.amount), version }
    default:
      throw new Error(`account streams hold no events of type '${recorded.type}'`)
  }
}
