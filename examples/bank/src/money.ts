/** Amounts are decimal strings outside and whole cents inside; a float never touches them. */
export type Cents = bigint

const amount = /^(-?)(\d+)(?:\.(\d{1,2}))?$/

export function toCents(text: string): Cents {
  const [, sign, whole, fraction = ''] = amount.exec(text) ?? []
  if (whole === undefined) throw new Error(`'${text}' is no amount of money`)
  const cents = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'))
  return sign === '-' ? -cents : cents
}

export function fromCents(cents: Cents): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** `1234567.80` as `1,234,567.80`, for people. */
export function pretty(cents: Cents): string {
  return fromCents(cents).replace(/\d(?=(\d{3})+\.)/g, '$&,')
}
