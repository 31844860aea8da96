import type { SqlValue } from '@varve/sql'

/** Puts the values in place of the statement's `?`, for servers and proxies that cannot prepare it. */
export function inline(text: string, values: readonly SqlValue[]): string {
  let index = 0
  return text.replace(quotedOrMark, (piece) => (piece === '?' ? literal(values[index++] ?? null) : piece))
}

const quotedOrMark = /'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"\\]|""|\\[\s\S])*"|`[^`]*`|\?/g

/** Text goes as hexadecimal digits, which mean the same under every sql_mode and character set of the session. */
function literal(value: SqlValue): string {
  if (value === null) return 'null'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string')
    return value === '' ? `''` : `_utf8mb4 x'${Buffer.from(value).toString('hex')}'`
  return value.length === 0 ? `''` : `x'${value.toString('hex')}'`
}
