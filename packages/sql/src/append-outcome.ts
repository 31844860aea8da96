import {
  ConcurrencyError,
  InvalidArgumentError,
  satisfies,
  StreamArchivedError,
  toRecorded,
} from '@varve/core'
import type { AppendResult, PreparedWrite, RecordedEvent, StreamInfo } from '@varve/core'
import type { Applied } from './dialect.js'

/** The result of a write that was applied; `from` is the index of its first event among those applied with it. */
export function resultOf(write: PreparedWrite, applied: Applied, from = 0): AppendResult {
  const count = write.events.length
  const before = applied.version - applied.positions.length + from
  let events: RecordedEvent[] | undefined
  return {
    streamId: write.streamId,
    version: count === 0 ? applied.version : before + count,
    position: count === 0 ? 0 : (applied.positions[from + count - 1] ?? 0),
    // most callers never look: the JSON is parsed for those who do
    get events() {
      return (events ??= recordedOf(write, applied, from, before))
    },
    duplicate: false,
  }
}

function recordedOf(write: PreparedWrite, applied: Applied, from: number, before: number): RecordedEvent[] {
  const { positions, recordedAt, streamType, checksums } = applied
  return write.events.map((_, index) =>
    toRecorded(write, index, {
      version: before + index + 1,
      position: positions[from + index] ?? 0,
      recordedAt,
      streamType,
      checksum: checksums?.[from + index],
    }),
  )
}

/**
 * Why a write was not applied, read from its head afterwards.
 *
 * @throws StreamArchivedError, InvalidArgumentError, ConcurrencyError; returns when the head admits the write by now.
 */
export function refuse(write: PreparedWrite, head: StreamInfo | undefined): void {
  const { streamId, tenantId, expectedVersion } = write
  if (head?.archivedAt !== undefined && write.events.length > 0) throw new StreamArchivedError(streamId)
  if (head !== undefined && write.streamType !== undefined && write.streamType !== head.streamType) {
    throw new InvalidArgumentError(
      'streamType',
      `stream '${streamId}' is of type '${head.streamType}' since its first event, and cannot become '${write.streamType}'`,
    )
  }
  const actualVersion = head?.version ?? 0
  if (!satisfies(expectedVersion, actualVersion)) {
    throw new ConcurrencyError({ tenantId, streamId, expectedVersion, actualVersion })
  }
}
