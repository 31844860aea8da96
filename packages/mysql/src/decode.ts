import type { JsonValue } from '@varve/core'
import type { Decoder } from '@varve/sql'

/** Of `2026-11-20 23:59:59.123456`, in UTC; what lies below the millisecond is cut. */
export function timeOfText(value: unknown): Date {
  const text = String(value)
  const seconds = Date.UTC(
    two(text, 0) * 100 + two(text, 2),
    two(text, 5) - 1,
    two(text, 8),
    two(text, 11),
    two(text, 14),
    two(text, 17),
  )
  return new Date(text.length <= 20 ? seconds : seconds + Number(text.slice(20, 23).padEnd(3, '0')))
}

function two(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528 // '0' is 48
}

/** An expression for a time, as milliseconds since 1970: the driver would make a text of it, digit by digit, to be read again. */
export function timeExpression(expression: string): string {
  return `(timestampdiff(microsecond, '1970-01-01', ${expression}) div 1000)`
}

/** Columns come as the session asks for them: times as milliseconds since 1970, JSON as the text that was stored. */
export const decode: Decoder = {
  number(value) {
    // sums and counts may come as text, and so does every big number on a pool that says so
    const number = typeof value === 'number' ? value : Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError(`${String(value)} is beyond the safe integers`)
    return number
  },
  json: (value) => JSON.parse(value as string) as JsonValue,
  time: (value) => new Date(Number(value)),
  tags: (value) => (value === '[]' ? [] : (JSON.parse(value as string) as string[])),
  checksum: (value) => value as string,
}

/** A parameter for a time column. */
export function timeParameter(time: Date): string {
  return time.toISOString().slice(0, 23).replace('T', ' ')
}
