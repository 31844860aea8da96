import type { RecordedEvent } from '@varve/core'
import { eventDecoder } from '@varve/sql'
import type { Database } from '../sql/database.js'

// by the key of the table, a few at a time, so that the text of the statement is one of a few
const sizes = [1, 8, 64, 256]

/** Reads events by their positions; those that are no longer in the log are missing. */
export function eventReader(
  database: Database,
): (positions: readonly number[]) => Promise<Map<number, RecordedEvent>> {
  const { dialect } = database.access
  const decode = eventDecoder(dialect.decode)
  return async (positions) => {
    const found = new Map<number, RecordedEvent>()
    const wanted = [...new Set(positions)].filter((position) => position > 0)
    for (let at = 0; at < wanted.length;) {
      const left = wanted.length - at
      const size = sizes.find((each) => each >= left) ?? 256
      const chunk = wanted.slice(at, at + size)
      at += chunk.length
      while (chunk.length < size) chunk.push(chunk[0] ?? 0)
      const list = chunk.map((_, index) => `$${index + 1}`).join(', ')
      const text = `select ${dialect.eventColumns} from ${database.events} where position in (${list})`
      for (const event of await database.query(text, chunk, decode)) found.set(event.position, event)
    }
    return found
  }
}
