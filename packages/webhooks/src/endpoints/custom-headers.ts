import { InvalidArgumentError } from '@varve/core'

// what the request itself is made of
const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const MAX_HEADERS = 32
const MAX_BYTES = 8_192

/** Checks and copies headers, names in lower case. The text of a value is never repeated. @throws InvalidArgumentError */
export function resolveHeaders(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('customHeaders', 'must be an object of names and values')
  }
  const entries = Object.entries(value).map(
    ([name, text]) => [checkedName(name), checkedValue(name, text)] as const,
  )
  const headers = Object.fromEntries(entries)
  if (Object.keys(headers).length < entries.length)
    throw new InvalidArgumentError('customHeaders', 'name a header twice')
  if (entries.length > MAX_HEADERS) {
    throw new InvalidArgumentError('customHeaders', `are ${entries.length}; at most ${MAX_HEADERS} are sent`)
  }
  const bytes = entries.reduce((sum, [name, text]) => sum + name.length + text.length, 0)
  if (bytes > MAX_BYTES) throw new InvalidArgumentError('customHeaders', `are longer than ${MAX_BYTES} bytes`)
  return headers
}

function checkedName(name: string): string {
  const lower = name.toLowerCase()
  if (!/^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name)) {
    throw new InvalidArgumentError('customHeaders', 'have a name that is none of a header')
  }
  if (reserved.has(lower) || lower.startsWith('webhook-')) {
    throw new InvalidArgumentError(
      `customHeaders['${name}']`,
      'is set by the request itself, and cannot be given',
    )
  }
  return lower
}

function checkedValue(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value
  throw new InvalidArgumentError(
    `customHeaders['${name}']`,
    'must be text without line breaks and control characters',
  )
}
