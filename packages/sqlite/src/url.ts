import { InvalidArgumentError } from '@varve/core'
import type { SqliteEventStoreOptions } from './options.js'

/** What a `sqlite:` URL says: `sqlite::memory:`, `sqlite:./events.db`, `sqlite:///var/lib/events.db?synchronous=NORMAL`. */
export function optionsOfUrl(url: string): Pick<SqliteEventStoreOptions, 'filename' | 'synchronous'> {
  const { path, query } = /^sqlite:(?<path>[^?#]*)(?:\?(?<query>[^#]*))?$/i.exec(url)?.groups ?? {}
  if (path === undefined) throw refusal("a '#' or '?' in a file name is written %23 or %3F")
  let synchronous: 'FULL' | 'NORMAL' | undefined
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'synchronous') throw refusal(`there is no parameter '${name}'; known is synchronous`)
    const level = value.toUpperCase()
    if (level !== 'FULL' && level !== 'NORMAL')
      throw refusal(`synchronous must be FULL or NORMAL, is '${value}'`)
    synchronous = level
  }
  return { filename: fileOf(path), ...(synchronous !== undefined && { synchronous }) }
}

function fileOf(path: string): string {
  let file: string
  try {
    file = decodeURIComponent(path)
  } catch {
    throw refusal("a '%' in a file name is written %25")
  }
  if (file.startsWith('//')) {
    if (!file.startsWith('///'))
      throw refusal('it names a host; write sqlite:./events.db or sqlite:///absolute/path/events.db')
    file = file.slice(2)
  }
  if (file === '') throw refusal('it names no file; write sqlite::memory: for a log in memory')
  // /C:/events.db
  return /^\/[a-z]:[\\/]/i.test(file) ? file.slice(1) : file
}

function refusal(reason: string): InvalidArgumentError {
  return new InvalidArgumentError('url', reason)
}
