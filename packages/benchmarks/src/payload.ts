/** About 300 bytes of JSON; every one a little different. */
export function orderPlaced(number: number) {
  return {
    orderId: `ord-${number.toString(36).padStart(9, '0')}`,
    customerId: `cus-${(number % 9_973).toString().padStart(6, '0')}`,
    currency: 'EUR',
    total: '129.90',
    lines: [
      { sku: 'SKU-10042-XL', quantity: 2, price: '39.95' },
      { sku: 'SKU-77310-M', quantity: 1, price: '50.00' },
    ],
    shipping: { method: 'standard', country: 'DE', city: 'Köln', postcode: '50667' },
    gift: number % 7 === 0,
    note: 'Please ring twice',
  }
}

/** About 120 bytes. */
export function requestMetadata(number: number) {
  return {
    requestId: `req-${number.toString(16).padStart(16, '0')}`,
    userId: `user-${number % 1_000}`,
    source: 'web-checkout',
    ip: '203.0.113.7',
    region: 'eu-central-1',
  }
}

export function newOrder(number: number) {
  return { type: 'order.placed', data: orderPlaced(number), metadata: requestMetadata(number) }
}
