import { defineAggregate } from '@varve/core'
import { accountEvents } from './events.ts'

export interface Account {
  readonly owner?: string
  readonly cents: number
}

const noAccount: Account = { cents: 0 }

export const account = defineAggregate({
  type: 'account',
  events: accountEvents,
  initialState: noAccount,
  evolve(state, event) {
    switch (event.type) {
      case 'account.opened':
        return { ...state, owner: event.data.owner }
      case 'money.deposited':
      case 'money.received':
        return { ...state, cents: state.cents + event.data.cents }
      default:
        return { ...state, cents: state.cents - event.data.cents }
    }
  },
})

export const open = (owner: string) => (state: Account) => {
  if (state.owner !== undefined) throw new Error('the account is open already')
  return { type: 'account.opened', data: { owner } } as const
}

export const deposit = (cents: number) => (state: Account) => {
  if (state.owner === undefined) throw new Error('there is no such account')
  return { type: 'money.deposited', data: { cents } } as const
}
