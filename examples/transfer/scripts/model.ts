import type { Expected } from '../src/expected.ts'

/** Accounts without events: it does at once what the input asks for, and remembers how things stand. */
export class Model {
  readonly #balances = new Map<string, number>()
  readonly #refused: { id: string; reason: string }[] = []
  #limit: number | null = null
  #events = 0
  #deposited = 0

  open(account: string): void {
    this.#balances.set(account, 0)
    this.#events += 1
  }

  deposit(account: string, cents: number): void {
    this.#change(account, cents)
    this.#deposited += cents
    this.#events += 1
  }

  limit(cents: number | null): void {
    this.#limit = cents
    this.#events += 1
  }

  transfer(id: string, from: string, to: string, cents: number): void {
    const balance = this.#balances.get(from)
    const reason =
      from === to
        ? 'both accounts are the same'
        : balance === undefined
          ? 'the sending account does not exist'
          : !this.#balances.has(to)
            ? 'the receiving account does not exist'
            : this.#limit !== null && cents > this.#limit
              ? 'above the limit'
              : cents > balance
                ? 'insufficient funds'
                : undefined
    if (reason !== undefined) {
      this.#refused.push({ id, reason })
      this.#events += 1
      return
    }
    this.#change(from, -cents)
    this.#change(to, cents)
    this.#events += 3
  }

  expected(): Omit<Expected, 'log'> {
    const balances = Object.fromEntries(this.#balances)
    return { balances, refused: this.#refused, total: this.#deposited, events: this.#events }
  }

  #change(account: string, by: number): void {
    this.#balances.set(account, (this.#balances.get(account) ?? 0) + by)
  }
}
