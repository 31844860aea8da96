import { hash } from 'node:crypto'
import { canonicalParts } from '@varve/core'
import type { PreparedEvent } from '@varve/core'
import { ANY, EXISTS } from '@varve/sql'
import type { Applied, AppendStep, HeadWrite } from '@varve/sql'
import type { Database, Statement } from 'better-sqlite3'
import type { SqliteDriver } from './driver.js'
import type { Names } from './names.js'

interface Head {
  readonly streamType: string
  readonly version: number
  readonly updatedAt: number
  readonly archived: boolean
}

/** The append step. A transaction has the database to itself, so that what it has read of a head holds until it commits. */
export function appendStep(driver: SqliteDriver, database: Database, names: Names): AppendStep<Database> {
  let prepared: AppendStatements | undefined
  const apply = (writes: readonly HeadWrite[]): (Applied | undefined)[] => {
    prepared ??= new AppendStatements(database, names)
    const now = Date.now()
    const results: (Applied | undefined)[] = []
    for (const write of writes) results.push(applyWrite(prepared, write, now))
    return results
  }
  return {
    flush: (writes) => driver.write(() => apply(writes)),
    within: async (_, writes) => apply(writes),
  }
}

function applyWrite(statements: AppendStatements, write: HeadWrite, now: number): Applied | undefined {
  const { tenantId, streamId, events } = write
  const head = statements.head(tenantId, streamId)
  const version = head?.version ?? 0
  if (!admits(write, head, version)) return undefined
  const streamType = head?.streamType ?? write.streamType ?? 'stream'
  // the clock may have been set back since the stream's last event
  const recordedAt = Math.max(now, head?.updatedAt ?? 0)
  const positions: number[] = []
  for (const [index, event] of events.entries()) {
    positions.push(statements.insertEvent(write, streamType, version + index + 1, event, recordedAt))
  }
  const applied = {
    version: version + events.length,
    streamType,
    positions,
    recordedAt: new Date(recordedAt),
  }
  if (events.length === 0) return applied
  if (head === undefined) statements.insertHead(tenantId, streamId, streamType, applied.version, recordedAt)
  else statements.updateHead(tenantId, streamId, applied.version, recordedAt)
  return applied
}

function admits(
  { expected, streamType, events }: HeadWrite,
  head: Head | undefined,
  version: number,
): boolean {
  if (head !== undefined) {
    if (head.archived && events.length > 0) return false
    if (streamType !== undefined && streamType !== head.streamType) return false
  }
  if (expected === ANY) return true
  return expected === EXISTS ? version > 0 : version === expected
}

class AppendStatements {
  readonly #head: Statement
  readonly #insertHead: Statement
  readonly #updateHead: Statement
  readonly #insertEvent: Statement
  readonly #insertTag: Statement

  constructor(database: Database, names: Names) {
    const streams = names.quoted('event_streams')
    const key = 'tenant_id = ? and stream_id = ?'
    this.#head = database
      .prepare(`select stream_type, version, updated_at, archived_at from ${streams} where ${key}`)
      .raw(true)
      .safeIntegers(false)
    this.#insertHead = database.prepare(
      `insert into ${streams} (tenant_id, stream_id, stream_type, version, created_at, updated_at) values (?, ?, ?, ?, ?, ?)`,
    )
    this.#updateHead = database.prepare(`update ${streams} set version = ?, updated_at = ? where ${key}`)
    // OR FAIL goes with the trigger that guards inserts, see there
    this.#insertEvent = database
      .prepare(
        `insert or fail into ${names.quoted('events')} (tenant_id, stream_id, stream_type, version, event_id, event_type, ` +
          'schema_version, event_data, metadata, tags, correlation_id, causation_id, created_by, occurred_at, created_at, ' +
          'event_size_bytes, checksum) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .safeIntegers(false)
    this.#insertTag = database.prepare(
      `insert into ${names.quoted('event_tags')} (tenant_id, tag, position) values (?, ?, ?)`,
    )
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
    recordedAt: number,
  ): number {
    const { pre, post, tail } = canonicalParts(event, tenantId, streamId)
    const canonical =
      `${pre}${event.data},"id":"${event.id}","metadata":${event.metadata}${post}` +
      `${JSON.stringify(streamType)}${tail}${version}}`
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
      recordedAt,
      event.sizeBytes,
      hash('sha256', canonical, 'buffer'),
    )
    const position = Number(lastInsertRowid)
    if (!Number.isSafeInteger(position))
      throw new RangeError(`position ${lastInsertRowid} is beyond the safe integers`)
    for (const tag of new Set(event.tags)) this.#insertTag.run(tenantId, tag, position)
    return position
  }
}
