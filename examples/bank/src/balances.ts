import type { EventStore } from '@varve/core'
import { type Account, evolve, noAccount } from './account.ts'
import { type Cents, fromCents, pretty, toCents } from './money.ts'
import { shortened, table, type Write } from './report.ts'

export interface Ledger {
  /** By stream, in the order in which they were opened. */
  readonly accounts: ReadonlyMap<string, Account>
  readonly opened: Cents
  readonly deposited: Cents
  readonly withdrawn: Cents
  readonly sent: Cents
  readonly received: Cents
}

/** Reads the whole log once, in the order in which things happened, and folds it into balances. */
export async function rebuildLedger(store: EventStore, until?: number): Promise<Ledger> {
  const accounts = new Map<string, Account>()
  const sums = new Map<string, Cents>()
  const range = until === undefined ? {} : { until }
  for await (const event of store.readAll({ types: ['account.*', 'money.*'], ...range })) {
    const account = evolve(accounts.get(event.streamId) ?? noAccount, event)
    accounts.set(event.streamId, account)
    const { amount, initialBalance } = event.data as { amount?: string; initialBalance?: string }
    const moved = toCents(amount ?? initialBalance ?? '0')
    sums.set(event.type, (sums.get(event.type) ?? 0n) + moved)
  }
  const sumOf = (type: string) => sums.get(type) ?? 0n
  return {
    accounts,
    opened: sumOf('account.created'),
    deposited: sumOf('money.deposited'),
    withdrawn: sumOf('money.withdrawn'),
    sent: sumOf('money.transferred_out'),
    received: sumOf('money.transferred_in'),
  }
}

export function totalOf({ accounts }: Ledger): Cents {
  let total = 0n
  for (const { balance } of accounts.values()) total += balance
  return total
}

export function printBalances(write: Write, ledger: Ledger): void {
  table(
    write,
    [...ledger.accounts].map(([streamId, { accountNumber, balance, status, version }]) => ({
      number: accountNumber,
      account: shortened(streamId),
      balance: pretty(balance),
      status,
      version,
    })),
  )
  const { opened, deposited, withdrawn, sent } = ledger
  write(`  total ${pretty(totalOf(ledger))}; ${pretty(sent)} moved between the accounts`)
  write(`  = ${pretty(opened)} at opening + ${pretty(deposited)} in - ${pretty(withdrawn)} out`)
}

/** For comparison with what was expected. */
export function plainAccounts({ accounts }: Ledger) {
  return [...accounts].map(([streamId, { accountNumber, balance, status, version }]) => ({
    streamId,
    accountNumber,
    balance: fromCents(balance),
    status,
    version,
  }))
}
