import type { JsonValue } from '@varve/core'
import type { Decoder } from '@varve/sql'

/** Columns come as the text that the server sends; see `eventColumns` for the form of times. */
export const decode: Decoder = {
  number(value) {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError(`${String(value)} is beyond the safe integers`)
    return number
  },
  json: (value) => JSON.parse(value as string) as JsonValue,
  time: (value) => new Date(milliseconds(value as string)),
  tags: (value) => (value === '{}' ? [] : parseTags(value as string)),
  checksum: (value) => (value as string).slice(2), // \x…
}

/** Of `2026-11-20 23:59:59.123456`, in UTC; what lies below the millisecond is cut. */
function milliseconds(text: string): number {
  const seconds = Date.UTC(
    two(text, 0) * 100 + two(text, 2),
    two(text, 5) - 1,
    two(text, 8),
    two(text, 11),
    two(text, 14),
    two(text, 17),
  )
  if (text.length <= 20) return seconds
  return seconds + Number(text.slice(20, 23).padEnd(3, '0'))
}

function two(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528 // '0' is 48
}

/** Of an array literal: `{a,"b c","d\"e"}`. */
function parseTags(text: string): string[] {
  const tags: string[] = []
  for (const [, quoted, plain] of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)) {
    tags.push(quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/gs, '$1'))
  }
  return tags
}

/** The array literal of tags. */
export function tagsLiteral(tags: readonly string[]): string {
  if (tags.length === 0) return '{}'
  return `{${tags.map((tag) => `"${tag.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}
