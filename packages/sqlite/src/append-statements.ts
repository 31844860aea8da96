import type { PreparedEvent } from '@varve/core'
import type { HeadWrite } from '@varve/sql'
import type { Database, Statement } from 'better-sqlite3'
import type { Names } from './names.js'

export interface Head {
  readonly streamType: string
  readonly version: number
  /** Milliseconds since 1970. */
  readonly updatedAt: number
  readonly archived: boolean
}

const eventColumns = [
  'tenant_id',
  'stream_id',
  'stream_type',
  'version',
  'event_id',
  'event_type',
  'schema_version',
  'event_data',
  'metadata',
  'tags',
  'correlation_id',
  'causation_id',
  'created_by',
  'occurred_at',
  'created_at',
  'event_size_bytes',
  'checksum',
]

/** The statements of an append, prepared once, and run without any detour. */
export class AppendStatements {
  readonly #head: Statement
  readonly #insertHead: Statement
  readonly #updateHead: Statement
  readonly #insertEvent: Statement
  readonly #insertTag: Statement

  constructor(database: Database, names: Names) {
    const streams = names.quoted('event_streams')
    const insert = (into: string, columns: readonly string[], how = 'insert'): Statement =>
      database.prepare(
        `${how} into ${into} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
      )
    this.#head = database
      .prepare(
        `select stream_type, version, updated_at, archived_at from ${streams} where tenant_id = ? and stream_id = ?`,
      )
      .raw(true)
      .safeIntegers(false)
    this.#insertHead = insert(streams, [
      'tenant_id',
      'stream_id',
      'stream_type',
      'version',
      'created_at',
      'updated_at',
    ])
    this.#updateHead = database.prepare(
      `update ${streams} set version = ?, updated_at = ? where tenant_id = ? and stream_id = ?`,
    )
    // FAIL goes with the trigger that guards inserts, see there
    this.#insertEvent = insert(names.quoted('events'), eventColumns, 'insert or fail').safeIntegers(false)
    this.#insertTag = insert(names.quoted('event_tags'), ['tenant_id', 'tag', 'position'])
  }

  head(tenantId: string, streamId: string): Head | undefined {
    const row = this.#head.get(tenantId, streamId) as [string, number, number, number | null] | undefined
    if (row === undefined) return undefined
    return { streamType: row[0], version: row[1], updatedAt: row[2], archived: row[3] !== null }
  }

  insertHead(tenantId: string, streamId: string, streamType: string, version: number, at: number): void {
    this.#insertHead.run(tenantId, streamId, streamType, version, at, at)
  }

  updateHead(tenantId: string, streamId: string, version: number, at: number): void {
    this.#updateHead.run(version, at, tenantId, streamId)
  }

  /** Gives the event's position. */
  insertEvent(
    { tenantId, streamId }: HeadWrite,
    streamType: string,
    version: number,
    event: PreparedEvent,
    at: number,
    checksum: string,
  ): number {
    const { lastInsertRowid } = this.#insertEvent.run(
      tenantId,
      streamId,
      streamType,
      version,
      event.id,
      event.type,
      event.schemaVersion,
      event.data,
      event.metadata,
      event.tags.length === 0 ? '[]' : JSON.stringify(event.tags),
      event.correlationId,
      event.causationId,
      event.createdBy,
      event.occurredAt.getTime(),
      at,
      event.sizeBytes,
      checksum,
    )
    const position = Number(lastInsertRowid)
    // better-sqlite3 rounds integers beyond 2^53 to the nearest number, which is never a safe one
    if (!Number.isSafeInteger(position))
      throw new RangeError(`position ${lastInsertRowid} is beyond the safe integers`)
    for (const tag of new Set(event.tags)) this.#insertTag.run(tenantId, tag, position)
    return position
  }
}
