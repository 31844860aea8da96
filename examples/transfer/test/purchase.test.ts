import { given } from '@varve/core/testing'
import { describe, it } from 'vitest'
import { purchase } from '../src/purchase.ts'

const order = { order: 'o', item: 'lamps', quantity: 2, buyer: 'a', cents: 40 }
const placed = { type: 'order.placed', data: order } as const
const reserved = { type: 'stock.reserved', data: { order: 'o', quantity: 2 }, correlationId: 'o' } as const
const payment = { from: 'a', to: 'account-shop', cents: 40 }
const rejected = (reason: string) => [{ streamId: 'o', type: 'order.rejected', data: { reason } }]

// oxlint-disable vitest/expect-expect -- what is not as expected throws
describe('a purchase', () => {
  it('reserves the stock, and waits for that no longer than a day', () =>
    given(purchase)
      .when(placed)
      .then({
        state: { order },
        commands: [{ command: 'reserve', data: order }],
        timeouts: { stuck: new Date('2026-01-02T00:00:00Z') },
      }))

  it('pays for what is reserved', () =>
    given(purchase, [placed])
      .when(reserved)
      .then({ commands: [{ command: 'pay', data: order }], cancel: ['stuck'] }))

  it('is confirmed when it was paid for', () =>
    given(purchase, [placed, reserved])
      .when({ type: 'transfer.completed', data: payment, correlationId: 'o' })
      .then({ emit: [{ streamId: 'o', type: 'order.confirmed', data: {} }], complete: true }))

  it('releases what cannot be paid for', () =>
    given(purchase, [placed, reserved])
      .when({
        type: 'transfer.refused',
        data: { ...payment, reason: 'insufficient funds' },
        correlationId: 'o',
      })
      .then({
        commands: [{ command: 'release', data: order }],
        emit: rejected('insufficient funds'),
        complete: true,
      }))

  it('gives up when the stock does not answer, and releases what it may reserve yet', () =>
    given(purchase, [placed])
      .whenTimeout('stuck')
      .then({
        commands: [{ command: 'release', data: order }],
        emit: rejected('no answer in time'),
        complete: true,
      }))

  it('takes no notice of what comes after its end', () =>
    given(purchase, [
      placed,
      { type: 'stock.refused', data: { order: 'o', quantity: 2 }, correlationId: 'o' },
    ])
      .when(reserved)
      .then({ complete: false }))
})
