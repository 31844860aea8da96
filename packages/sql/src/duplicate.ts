import { canonicalize, DuplicateEventError } from '@varve/core'
import type { AppendResult, PreparedWrite, RecordedEvent } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import { eventDecoder } from './rows.js'
import type { Query } from './read-access.js'
import { binder } from './where.js'

/** The stored events that bear one of the ids. */
export async function eventsById(
  dialect: ReadDialect,
  query: Query,
  tenantId: string,
  ids: readonly string[],
): Promise<RecordedEvent[]> {
  if (ids.length === 0) return []
  const { params, bind } = binder()
  const text =
    `select ${dialect.eventColumns} from ${dialect.table('events')} ` +
    `where tenant_id = ${bind(tenantId)} and ${dialect.filter.anyOf('event_id', ids, bind)}`
  return query(text, params, eventDecoder(dialect.decode))
}

/**
 * The original result when the writes are an exact repetition of what is stored; undefined when none of their ids is.
 *
 * @throws DuplicateEventError when they are neither.
 */
export function repetition(
  writes: readonly PreparedWrite[],
  stored: readonly RecordedEvent[],
): (AppendResult | undefined)[] | undefined {
  if (stored.length === 0) return undefined
  const byId = new Map(stored.map((event) => [event.id, event]))
  const known = writes.flatMap((write) => write.events).find((event) => byId.has(event.id))?.id ?? ''
  return writes.map((write) => (write.events.length === 0 ? undefined : repeated(write, byId, known)))
}

function repeated(write: PreparedWrite, byId: Map<string, RecordedEvent>, known: string): AppendResult {
  const found: RecordedEvent[] = []
  for (const event of write.events) {
    const original = byId.get(event.id)
    if (original === undefined) throw new DuplicateEventError(known, 'with it came ids that are not stored')
    const place = `in stream '${original.streamId}' at version ${original.version}`
    if (original.streamId !== write.streamId) throw new DuplicateEventError(event.id, place)
    const before = found.at(-1)
    if (before !== undefined && original.version !== before.version + 1) {
      throw new DuplicateEventError(event.id, `${place}, not behind event ${before.id}`)
    }
    if (original.type !== event.type)
      throw new DuplicateEventError(event.id, `${place} with type '${original.type}'`)
    if (canonicalize(original.data, 'data') !== event.data) {
      throw new DuplicateEventError(event.id, `${place} with other data`)
    }
    found.push(original)
  }
  const last = found.at(-1)
  return {
    streamId: write.streamId,
    version: last?.version ?? 0,
    position: last?.position ?? 0,
    events: found,
    duplicate: true,
  }
}
