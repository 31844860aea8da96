import { given } from '@varve/core/testing'
import { describe, it } from 'vitest'
import { account, deposit, open } from '../src/account.ts'
import { transfer } from '../src/transfer.ts'

const opened = { type: 'account.opened', data: { owner: 'Ann' } } as const
const holding = (cents: number) => [opened, { type: 'money.deposited', data: { cents } } as const]
const command = { id: '1', from: 'a', to: 'b', cents: 60 }

// oxlint-disable vitest/expect-expect -- what is not as expected throws
describe('an account', () => {
  it('is opened once', async () => {
    await given(account).when(open('Ann')).then([opened])
    await given(account, [opened]).when(open('Bob')).then(new Error('the account is open already'))
  })

  it('takes money when it is open', async () => {
    await given(account, holding(5)).when(deposit(7)).thenState({ owner: 'Ann', cents: 12 })
    await given(account)
      .when(deposit(7))
      .then(/no such account/)
  })
})

describe('a transfer', () => {
  const refused = (reason: string) => ({
    'transfer-1': [{ type: 'transfer.refused', data: { from: 'a', to: 'b', cents: 60, reason } } as const],
  })

  it('moves money', () =>
    given(transfer, { a: holding(100), b: [opened] })
      .when(command)
      .then({
        'transfer-1': [{ type: 'transfer.completed', data: { from: 'a', to: 'b', cents: 60 } }],
        a: [{ type: 'money.sent', data: { cents: 60, to: 'b', transfer: '1' } }],
        b: [{ type: 'money.received', data: { cents: 60, from: 'a', transfer: '1' } }],
      }))

  it('needs the money', () =>
    given(transfer, { a: holding(59), b: [opened] })
      .when(command)
      .then(refused('insufficient funds')))

  it('keeps to the limit', async () => {
    const past = { a: holding(100), b: [opened] }
    const limit = { type: 'limit.set', data: { cents: 59 } } as const
    await given(transfer, { ...past, limits: [limit] })
      .when(command)
      .then(refused('above the limit'))
    const lifted = { type: 'limit.lifted', data: {} } as const
    await given(transfer, { ...past, limits: [limit, lifted] })
      .when({ ...command, cents: 100 })
      .then({
        'transfer-1': [{ type: 'transfer.completed', data: { from: 'a', to: 'b', cents: 100 } }],
        a: [{ type: 'money.sent', data: { cents: 100, to: 'b', transfer: '1' } }],
        b: [{ type: 'money.received', data: { cents: 100, from: 'a', transfer: '1' } }],
      })
  })

  it('needs both accounts', () =>
    given(transfer, { a: holding(100) })
      .when(command)
      .then(refused('the receiving account does not exist')))
})
