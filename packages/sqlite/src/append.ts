import { hash } from 'node:crypto'
import { canonicalParts } from '@varve/core'
import type { PreparedEvent } from '@varve/core'
import { ANY, EXISTS } from '@varve/sql'
import type { Applied, AppendStep, HeadWrite } from '@varve/sql'
import type { Database } from 'better-sqlite3'
import { AppendStatements } from './append-statements.js'
import type { Head } from './append-statements.js'
import type { SqliteDriver } from './driver.js'
import type { Names } from './names.js'

/**
 * The append step. A transaction has the database to itself, so that what it has read of a head holds until it commits. An id
 * that is stored already is refused by the database; the transaction, or the savepoint, goes with it.
 */
export function appendStep(driver: SqliteDriver, database: Database, names: Names): AppendStep<Database> {
  let statements: AppendStatements | undefined
  const apply = (writes: readonly HeadWrite[]): (Applied | undefined)[] => {
    const prepared = (statements ??= new AppendStatements(database, names))
    const now = Date.now()
    return writes.map((write) => applyWrite(prepared, write, now))
  }
  return {
    flush: (writes) => driver.write(() => apply(writes)),
    within: async (_, writes) => apply(writes),
  }
}

function applyWrite(statements: AppendStatements, write: HeadWrite, now: number): Applied | undefined {
  const { tenantId, streamId, events } = write
  const head = statements.head(tenantId, streamId)
  let version = head?.version ?? 0
  if (!admits(write, head, version)) return undefined
  const streamType = head?.streamType ?? write.streamType ?? 'stream'
  // the clock may have been set back since the stream's last event
  const at = Math.max(now, head?.updatedAt ?? 0)
  const positions: number[] = []
  const checksums: string[] = []
  for (const event of events) {
    version += 1
    const checksum = checksumOf(event, write, streamType, version)
    checksums.push(checksum)
    positions.push(statements.insertEvent(write, streamType, version, event, at, checksum))
  }
  if (events.length > 0) {
    if (head === undefined) statements.insertHead(tenantId, streamId, streamType, version, at)
    else statements.updateHead(tenantId, streamId, version, at)
  }
  return { version, streamType, positions, recordedAt: new Date(at), checksums }
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

function checksumOf(event: PreparedEvent, write: HeadWrite, streamType: string, version: number): string {
  const { pre, post, tail } = canonicalParts(event, write.tenantId, write.streamId)
  const middle = `,"id":"${event.id}","metadata":${event.metadata}`
  return hash('sha256', `${pre}${event.data}${middle}${post}${JSON.stringify(streamType)}${tail}${version}}`)
}
