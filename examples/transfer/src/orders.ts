import { createRepository } from '@varve/core'
import type { EventStore } from '@varve/core'
import { account, deposit, open } from './account.ts'
import { type Order, purchase, SHOP } from './purchase.ts'
import { heading, table, type Write } from './report.ts'
import { Checks } from './checks.ts'
import { stock } from './stock.ts'

/** What each order comes to; item and buyer of one are no other's, so that it does not matter which is first. */
const orders: readonly (Order & { readonly outcome: string })[] = [
  {
    order: 'order-1',
    item: 'lamps',
    quantity: 2,
    buyer: 'account-ann',
    cents: 40_00,
    outcome: 'order.confirmed',
  },
  {
    order: 'order-2',
    item: 'desks',
    quantity: 1,
    buyer: 'account-bob',
    cents: 90_00,
    outcome: 'order.rejected: insufficient funds',
  },
  {
    order: 'order-3',
    item: 'chairs',
    quantity: 6,
    buyer: 'account-cem',
    cents: 30_00,
    outcome: 'order.rejected: out of stock',
  },
  {
    order: 'order-4',
    item: 'rugs',
    quantity: 1,
    buyer: 'account-dua',
    cents: 50_00,
    outcome: 'order.confirmed',
  },
]
const EACH = 50_00
const ON_HAND = 5

/** Orders that take stock and money, or neither. Handled again they change nothing. */
export async function runOrders(opened: EventStore, write: Write) {
  const store = opened.forTenant('orders')
  const accounts = createRepository(store, account)
  const stocks = createRepository(store, stock)
  const once = (commandId: string) => ({ commandId })

  await accounts.handle(SHOP, open('The shop'), once('open'))
  for (const { outcome: _, ...data } of orders) {
    await accounts.handle(data.buyer, open(data.buyer), once('open'))
    await accounts.handle(data.buyer, deposit(EACH), once('deposit'))
    await stocks.handle(data.item, () => ({ type: 'stock.added', data: { quantity: ON_HAND } }), once('add'))
    if ((await store.getStream(data.order)) !== undefined) continue
    await store.append(data.order, [{ type: 'order.placed', data }], { streamType: 'order' })
  }
  {
    await using runner = store.processes.run([purchase])
    await runner.caughtUp()
  }

  heading(write, 'Orders: stock and payment, or neither')
  const rows = []
  let money = (await accounts.load(SHOP)).state.cents
  for (const { order, item, buyer, quantity, outcome } of orders) {
    const last = await store.readStream(order).last()
    const { reason } = (last?.data ?? {}) as { reason?: string }
    const { free, reserved } = (await stocks.load(item)).state
    const { cents } = (await accounts.load(buyer)).state
    money += cents
    const found = reason === undefined ? (last?.type ?? '') : `${last?.type}: ${reason}`
    const sold = outcome === 'order.confirmed' ? quantity : 0
    rows.push({ order, outcome: found, free, reserved: reserved[order] ?? 0, expected: outcome, sold })
  }
  table(
    write,
    rows.map(({ order, outcome, free, reserved }) => ({ order, outcome, free, reserved })),
  )
  const checks = new Checks(write)
  checks.equal(
    'every order ended as expected',
    rows.map((row) => row.outcome),
    rows.map((row) => row.expected),
  )
  checks.equal(
    'what was not paid for is free again',
    rows.map((row) => row.free),
    rows.map((row) => ON_HAND - row.sold),
  )
  checks.equal(
    'what was paid for is reserved',
    rows.map((row) => row.reserved),
    rows.map((row) => row.sold),
  )
  checks.equal('no cent was lost', money, orders.length * EACH)
  const events = await store.readAll().count()
  return { ok: checks.passed, events }
}
