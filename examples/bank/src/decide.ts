import type { Account, AccountEvent } from './account.ts'
import type { Command } from './command.ts'
import { toCents } from './money.ts'

export type Decision =
  | { readonly refused: string }
  | {
      readonly events: readonly {
        readonly streamId: string
        readonly id: string
        readonly event: AccountEvent
      }[]
    }

/** What becomes of a command, given the accounts it touches. No database in here. */
export function decide(command: Command, accountOf: (streamId: string) => Account): Decision {
  const account = accountOf(command.account)
  const refused = refusalOf(command, account)
  if (refused !== undefined) return { refused }

  const { id, account: aggregateId } = command
  const one = (event: AccountEvent): Decision => ({ events: [{ streamId: aggregateId, id, event }] })
  switch (command.command) {
    case 'open': {
      const { accountNumber, initialBalance } = command
      return one({ type: 'account.created', data: { aggregateId, accountNumber, initialBalance } })
    }
    case 'deposit':
    case 'withdraw': {
      const { amount, reference } = command
      const type = command.command === 'deposit' ? 'money.deposited' : 'money.withdrawn'
      return one({ type, data: { aggregateId, amount, reference } })
    }
    case 'freeze':
      return one({ type: 'account.frozen', data: { aggregateId, reason: command.reason } })
    case 'unfreeze':
      return one({ type: 'account.unfrozen', data: { aggregateId, reason: command.reason } })
    case 'close':
      return one({ type: 'account.closed', data: { aggregateId, reason: command.reason } })
    default:
      return decideTransfer(command, accountOf(command.to))
  }
}

function decideTransfer(command: Command & { command: 'transfer' }, receiver: Account): Decision {
  if (receiver.status === 'missing') return { refused: 'the receiving account does not exist' }
  if (receiver.status === 'closed') return { refused: 'the receiving account is closed' }
  const { id, creditId, account, to, amount, reference } = command
  const out = { aggregateId: account, counterparty: to, amount, reference }
  const into = { aggregateId: to, counterparty: account, amount, reference }
  return {
    events: [
      { streamId: account, id, event: { type: 'money.transferred_out', data: out } },
      { streamId: to, id: creditId, event: { type: 'money.transferred_in', data: into } },
    ],
  }
}

function refusalOf(command: Command, { status, balance }: Account): string | undefined {
  if (command.command === 'open') return status === 'missing' ? undefined : 'the account exists already'
  if (status === 'missing') return 'the account does not exist'
  if (status === 'closed') return 'the account is closed'
  switch (command.command) {
    case 'deposit':
      return undefined
    case 'unfreeze':
      return status === 'frozen' ? undefined : 'the account is not frozen'
    case 'withdraw':
    case 'transfer':
      if (status === 'frozen') return 'the account is frozen'
      return toCents(command.amount) > balance ? 'insufficient funds' : undefined
    case 'close':
      if (status === 'frozen') return 'the account is frozen'
      return balance === 0n ? undefined : 'the balance is not zero'
    default:
      return status === 'frozen' ? 'the account is frozen' : undefined
  }
}
