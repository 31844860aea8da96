import type { JsonValue } from '@varve/core'
import type { Decoder } from '@varve/sql'

/** Times are milliseconds since 1970, JSON and tags are text, a checksum comes as hex. */
export const decode: Decoder = {
  // better-sqlite3 rounds integers from 2^53 on to the nearest number, which is never a safe one
  number(value) {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError(`${String(value)} is beyond the safe integers`)
    return number
  },
  json: (value) => (value === '{}' ? {} : (JSON.parse(value as string) as JsonValue)),
  time: (value) => new Date(value as number),
  tags: (value) => (value === '[]' ? [] : (JSON.parse(value as string) as string[])),
  checksum: (value) => value as string,
}
