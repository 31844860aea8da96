import type { Expected } from '../src/expected.ts'
import { Model } from './model.ts'

const ACCOUNTS = 10
const OWNERS = ['Ann', 'Bob', 'Cem', 'Dua', 'Eve', 'Fen', 'Gia', 'Hal', 'Ida', 'Jan']

/** The same input each time: its dice are a linear congruential generator with a fixed seed. */
export function makeInput(): { lines: string[]; expected: Omit<Expected, 'log'> } {
  const lines: string[] = []
  const model = new Model()
  let seed = 20260115
  const below = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const issue = (command: object): string => {
    const id = `command-${String(lines.length + 1).padStart(3, '0')}`
    const at = new Date(Date.UTC(2026, 0, 15, 9) + lines.length * 60_000).toISOString()
    lines.push(JSON.stringify({ id, at, ...command }))
    return id
  }
  const account = (n: number): string => `account-${String(n + 1).padStart(2, '0')}`
  const deposit = (n: number, cents: number): void => {
    issue({ do: 'deposit', account: account(n), cents })
    model.deposit(account(n), cents)
  }
  const transfer = (from: number, to: number, cents: number): void => {
    const command = { do: 'transfer', from: account(from), to: account(to), cents }
    model.transfer(issue(command), account(from), account(to), cents)
  }
  const limit = (cents: number | null): void => {
    issue({ do: 'limit', cents })
    model.limit(cents)
  }
  const anybody = (): number => below(ACCOUNTS)
  const movements = (count: number, most: number): void => {
    for (let n = 0; n < count; n++) {
      if (below(5) === 0) deposit(anybody(), 1 + below(200_00))
      else transfer(anybody(), anybody(), 1 + below(most))
    }
  }

  for (let n = 0; n < ACCOUNTS; n++) {
    issue({ do: 'open', account: account(n), owner: OWNERS[n] })
    model.open(account(n))
    deposit(n, 100_00 + below(900_00))
  }
  movements(40, 300_00)
  limit(100_00)
  movements(40, 200_00)
  transfer(0, ACCOUNTS, 1_00)
  transfer(ACCOUNTS, 0, 1_00)
  transfer(1, 1, 1_00)
  limit(250_00)
  movements(40, 300_00)
  limit(null)
  movements(40, 900_00)
  return { lines, expected: model.expected() }
}
