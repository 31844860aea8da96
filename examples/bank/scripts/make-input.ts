import type { Expected } from '../src/expected.ts'
import { Model, money } from './model.ts'

// the documents' two events, as they give them: amounts as numbers, with all their digits
const documents = [
  '{"event":"account.created","id":"550e8400-e29b-41d4-a716-446655440000","streamId":"acc-123e4567-e89b-12d3-a456-426614174000","streamType":"Account","version":1,"occurredAt":"2025-01-15T10:30:00.000Z","data":{"aggregateId":"acc-123e4567-e89b-12d3-a456-426614174000","accountNumber":"ACC001","initialBalance":1000.00},"metadata":{"correlationId":"corr-001","userId":"user-123","source":"banking-service"}}',
  '{"event":"money.deposited","id":"550e8400-e29b-41d4-a716-446655440001","streamId":"acc-123e4567-e89b-12d3-a456-426614174000","streamType":"Account","version":2,"occurredAt":"2025-01-15T10:35:00.000Z","data":{"aggregateId":"acc-123e4567-e89b-12d3-a456-426614174000","amount":250.00,"reference":"DEP-001"},"metadata":{"correlationId":"corr-002","userId":"user-123","source":"banking-service"}}',
]
const ACCOUNTS = 20
const MOVEMENTS = 280

const eventId = (n: number) => `550e8400-e29b-41d4-a716-${(0x446655440000 + n).toString(16)}`
const account = (n: number) => `acc-123e4567-e89b-12d3-a456-${426614173999 + n}`
const accountNumber = (n: number) => `ACC${String(n).padStart(3, '0')}`

/** The same input each time: its dice are a linear congruential generator with a fixed seed. */
export function makeInput(): { lines: string[]; expected: Omit<Expected, 'log'> } {
  const lines = [...documents]
  const model = new Model()
  model.open(eventId(0), account(1), accountNumber(1), 1000_00)
  model.deposit(eventId(1), account(1), 250_00)

  let ids = 1
  let seed = 20250115
  const below = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const amount = (limit: number) => 1 + below(limit)
  const reference = (kind: string) => `${kind}-${String(lines.length).padStart(3, '0')}`

  const issue = (command: string, from: number, rest: object): string => {
    const id = eventId(++ids)
    const at = new Date(Date.UTC(2025, 0, 15, 10, 35) + lines.length * 7 * 60_000).toISOString()
    const correlationId = `corr-${String(lines.length + 1).padStart(3, '0')}`
    const userId = `user-${100 + from}`
    lines.push(JSON.stringify({ command, id, at, account: account(from), ...rest, correlationId, userId }))
    return id
  }
  const open = (n: number, cents: number) => {
    const rest = { accountNumber: accountNumber(n), initialBalance: money(cents) }
    model.open(issue('open', n, rest), account(n), accountNumber(n), cents)
  }
  const deposit = (n: number, cents: number) =>
    model.deposit(
      issue('deposit', n, { amount: money(cents), reference: reference('DEP') }),
      account(n),
      cents,
    )
  const withdraw = (n: number, cents: number) =>
    model.withdraw(
      issue('withdraw', n, { amount: money(cents), reference: reference('WDR') }),
      account(n),
      cents,
    )
  const transfer = (from: number, to: number, cents: number) => {
    const creditId = eventId(++ids)
    const rest = { to: account(to), amount: money(cents), reference: reference('TRF'), creditId }
    model.transfer(issue('transfer', from, rest), account(from), account(to), cents)
  }
  const freeze = (n: number, reason: string) => {
    issue('freeze', n, { reason })
    model.freeze(account(n))
  }
  const unfreeze = (n: number, reason: string) => {
    issue('unfreeze', n, { reason })
    model.unfreeze(account(n))
  }
  const close = (n: number, reason: string) => model.close(issue('close', n, { reason }), account(n))
  const balance = (n: number) => model.rows.get(account(n))?.cents ?? 0

  // the first account stays as the documents left it
  const anybody = () => 2 + below(ACCOUNTS - 1)
  const move = () => {
    const from = anybody()
    const dice = below(10)
    if (dice < 3) deposit(from, amount(500_00))
    else if (dice < 6) withdraw(from, amount(Math.max(1, Math.floor(balance(from) / 4))))
    else transfer(from, 2 + ((from - 1 + below(ACCOUNTS - 2)) % (ACCOUNTS - 1)), amount(balance(from) / 3))
  }

  for (let n = 2; n <= ACCOUNTS; n++) open(n, amount(5000_00))
  for (let n = 0; n < MOVEMENTS / 2; n++) move()

  withdraw(2, balance(2) + 1)
  transfer(3, 4, balance(3) + 100_00)
  open(5, 100_00)
  freeze(6, 'suspicious activity')
  withdraw(6, 10_00)
  transfer(6, 7, 10_00)
  deposit(6, 75_50)
  unfreeze(6, 'cleared by the fraud desk')
  withdraw(6, 10_00)

  for (let n = 0; n < MOVEMENTS / 2; n++) move()

  freeze(8, 'court order')
  withdraw(8, 5_00)
  close(9, 'customer leaves')
  transfer(9, 10, balance(9))
  close(9, 'customer leaves')
  deposit(9, 20_00)
  transfer(10, 9, 20_00)
  return { lines, expected: model.expected() }
}
