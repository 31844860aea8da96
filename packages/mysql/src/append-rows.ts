import { hash } from 'node:crypto'
import { canonicalParts } from '@varve/core'
import type { PreparedEvent } from '@varve/core'
import type { SqlValue } from '@varve/sql'
import type { LogHead, NewHead } from './append-heads.js'
import { timeParameter } from './decode.js'
import type { Names } from './names.js'
import type { MysqlSession } from './session.js'
import { fitting, MAX_ROWS } from './sizes.js'

/** An event with its place in its stream. */
export interface NewRow {
  readonly event: PreparedEvent
  readonly head: NewHead
  readonly version: number
  readonly checksum: string
}

const columns = (
  'tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata, tags, ' +
  'correlation_id, causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum'
).split(', ')

/** Of one statement; more makes it no faster. */
const MAX_BYTES = 4 * 1024 * 1024
/** What an event's names, ids and times come to, at most, beside its data, metadata and tags. */
const OVERHEAD = 3_000

export class RowStatements {
  readonly #events: string
  readonly #tags: string
  readonly #texts = new Map<string, string>()

  constructor(names: Names) {
    this.#events = names.quoted('events')
    this.#tags = names.quoted('event_tags')
  }

  /** Inserts the events in their order; gives their positions. */
  async insert(session: MysqlSession, rows: readonly NewRow[], log: LogHead): Promise<number[]> {
    const limit = Math.min(MAX_BYTES, Math.floor((log.maxPacket * 0.9) / session.expansion))
    const positions: number[] = []
    for (let from = 0; from < rows.length;) {
      const group = rows.slice(from, from + fitting(rowsWithin(rows, from, limit)))
      if (group.length === 1) refuseTooLarge(group[0], session.expansion, log.maxPacket)
      const text = this.#text(this.#events, columns, group.length)
      const { insertId } = await session.insert(text, group.flatMap(parameters))
      if (!Number.isSafeInteger(insertId) || insertId < 1) throw new RangeError(`${insertId} is no position`)
      group.forEach((_, index) => positions.push(insertId + index * log.increment))
      from += group.length
    }
    await this.#insertTags(session, rows, positions)
    return positions
  }

  async #insertTags(
    session: MysqlSession,
    rows: readonly NewRow[],
    positions: readonly number[],
  ): Promise<void> {
    const tags = rows.flatMap(({ event, head }, index) =>
      [...new Set(event.tags)].map((tag): SqlValue[] => [head.write.tenantId, tag, positions[index] ?? 0]),
    )
    for (let from = 0; from < tags.length;) {
      const group = tags.slice(from, from + fitting(tags.length - from))
      await session.execute(
        this.#text(this.#tags, ['tenant_id', 'tag', 'position'], group.length),
        group.flat(),
      )
      from += group.length
    }
  }

  #text(table: string, names: readonly string[], rows: number): string {
    const key = `${table}${rows}`
    let text = this.#texts.get(key)
    if (text === undefined) {
      const row = (_: unknown, index: number): string =>
        `(${names.map((__, column) => `$${index * names.length + column + 1}`).join(', ')})`
      text = `insert into ${table} (${names.join(', ')}) values ${Array.from({ length: rows }, row).join(', ')}`
      this.#texts.set(key, text)
    }
    return text
  }
}

export function checksumOf(
  event: PreparedEvent,
  head: Pick<NewHead, 'write' | 'streamType'>,
  version: number,
): string {
  const { pre, post, tail } = canonicalParts(event, head.write.tenantId, head.write.streamId)
  const middle = `,"id":"${event.id}","metadata":${event.metadata}`
  return hash(
    'sha256',
    `${pre}${event.data}${middle}${post}${JSON.stringify(head.streamType)}${tail}${version}}`,
  )
}

/** How many of the rows fit into one statement; one does in any case. */
function rowsWithin(rows: readonly NewRow[], from: number, limit: number): number {
  const most = Math.min(rows.length - from, MAX_ROWS)
  let bytes = 0
  for (let count = 0; count < most; count++) {
    bytes += bytesOf(rows[from + count])
    if (bytes > limit) return Math.max(1, count)
  }
  return most
}

function bytesOf(row: NewRow | undefined): number {
  if (row === undefined) return 0
  const { bytes, tags } = row.event
  return tags.length === 0 ? bytes + OVERHEAD : bytes + OVERHEAD + Buffer.byteLength(JSON.stringify(tags))
}

/** The server would end the connection in the middle of it, without a word. */
function refuseTooLarge(row: NewRow | undefined, expansion: number, maxPacket: number): void {
  const bytes = Math.ceil(bytesOf(row) * expansion)
  if (bytes <= maxPacket) return
  throw new Error(
    `an event of ${row?.event.bytes ?? bytes} bytes does not fit into the server's max_allowed_packet of ${maxPacket}; raise that, ` +
      'or lower maxEventBytes',
  )
}

function parameters({ event, head, version, checksum }: NewRow): SqlValue[] {
  return [
    head.write.tenantId,
    head.write.streamId,
    head.streamType,
    version,
    event.id,
    event.type,
    event.schemaVersion,
    event.data,
    event.metadata,
    event.tags.length === 0 ? '[]' : JSON.stringify(event.tags),
    event.correlationId ?? null,
    event.causationId ?? null,
    event.createdBy ?? null,
    timeParameter(event.occurredAt),
    head.at,
    event.sizeBytes,
    checksum,
  ]
}
