import type { Expected } from '../src/expected.ts'

interface Row {
  readonly accountNumber: string
  cents: number
  status: 'open' | 'frozen' | 'closed'
  version: number
}

/** A bank that knows nothing of events: it does at once what the input asks for, and remembers how things stand. */
export class Model {
  readonly rows = new Map<string, Row>()
  readonly refused: { id: string; reason: string }[] = []
  readonly sums = { opened: 0, deposited: 0, withdrawn: 0, transferred: 0 }
  #events = 0

  open(id: string, account: string, accountNumber: string, cents: number): void {
    if (this.rows.has(account)) return this.#refuse(id, 'the account exists already')
    this.rows.set(account, { accountNumber, cents, status: 'open', version: 1 })
    this.sums.opened += cents
    this.#events += 1
  }

  deposit(id: string, account: string, cents: number): void {
    const row = this.rows.get(account)
    if (row === undefined) return this.#refuse(id, 'the account does not exist')
    if (row.status === 'closed') return this.#refuse(id, 'the account is closed')
    this.#change(row, cents)
    this.sums.deposited += cents
  }

  withdraw(id: string, account: string, cents: number): void {
    const row = this.#debitable(id, account, cents)
    if (row === undefined) return
    this.#change(row, -cents)
    this.sums.withdrawn += cents
  }

  transfer(id: string, account: string, to: string, cents: number): void {
    const row = this.#debitable(id, account, cents)
    if (row === undefined) return
    const receiver = this.rows.get(to)
    if (receiver === undefined) return this.#refuse(id, 'the receiving account does not exist')
    if (receiver.status === 'closed') return this.#refuse(id, 'the receiving account is closed')
    this.#change(row, -cents)
    this.#change(receiver, cents)
    this.sums.transferred += cents
  }

  freeze(account: string): void {
    this.#set(account, 'frozen')
  }

  unfreeze(account: string): void {
    this.#set(account, 'open')
  }

  close(id: string, account: string): void {
    if (this.rows.get(account)?.cents === 0) this.#set(account, 'closed')
    else this.#refuse(id, 'the balance is not zero')
  }

  expected(): Omit<Expected, 'log'> {
    const accounts = [...this.rows].map(([streamId, { accountNumber, cents, status, version }]) => ({
      streamId,
      accountNumber,
      balance: money(cents),
      status,
      version,
    }))
    const { opened, deposited, withdrawn, transferred } = this.sums
    return {
      accounts,
      refused: this.refused,
      opened: money(opened),
      deposited: money(deposited),
      withdrawn: money(withdrawn),
      transferred: money(transferred),
      total: money([...this.rows.values()].reduce((sum, { cents }) => sum + cents, 0)),
      events: this.#events,
    }
  }

  #debitable(id: string, account: string, cents: number): Row | undefined {
    const row = this.rows.get(account)
    const reason =
      row === undefined
        ? 'the account does not exist'
        : row.status === 'closed'
          ? 'the account is closed'
          : row.status === 'frozen'
            ? 'the account is frozen'
            : cents > row.cents
              ? 'insufficient funds'
              : undefined
    if (reason === undefined) return row
    this.#refuse(id, reason)
    return undefined
  }

  #change(row: Row, cents: number): void {
    row.cents += cents
    row.version += 1
    this.#events += 1
  }

  #set(account: string, status: Row['status']): void {
    const row = this.rows.get(account)
    if (row === undefined) throw new Error(`the script names an account that is not there: ${account}`)
    row.status = status
    row.version += 1
    this.#events += 1
  }

  #refuse(id: string, reason: string): void {
    this.refused.push({ id, reason })
    this.#events += 1
  }
}

/** The model counts in whole cents, far below where numbers lose digits. */
export function money(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}
