import type { PreparedEvent, PreparedWrite } from '@varve/core'
import type { QueuedAppend } from './append-queue.js'
import { ANY, EXISTS } from './dialect.js'
import type { HeadWrite } from './dialect.js'

/** Calls of `append` to one stream whose expectations fit each other, in the order of the calls. */
export interface AppendGroup {
  readonly key: string
  readonly appends: QueuedAppend[]
  /** Of all the appends. */
  readonly events: PreparedEvent[]
}

export function streamKey(write: { tenantId: string; streamId: string }): string {
  return `${write.tenantId}\0${write.streamId}`
}

/** Whether `write` succeeds whenever the group before it has, so that one head update serves both. */
export function fits(group: AppendGroup, write: PreparedWrite): boolean {
  const first = group.appends[0]?.writes[0]
  if (first === undefined || write.streamType !== first.streamType) return false
  if (write.expectedVersion === 'any' || write.expectedVersion === 'stream-exists') return true
  const start = first.expectedVersion === 'no-stream' ? 0 : first.expectedVersion
  return typeof start === 'number' && write.expectedVersion === start + group.events.length
}

/** The group as one write. */
export function headOfGroup(group: AppendGroup): HeadWrite {
  const first = group.appends[0]?.writes[0]
  if (first === undefined) throw new RangeError('an append group holds an append at least')
  return { ...headOf(first), events: group.events }
}

export function headOf(write: PreparedWrite): HeadWrite {
  const { tenantId, streamId, streamType, expectedVersion, events } = write
  return { tenantId, streamId, streamType, expected: expectedNumber(expectedVersion), events }
}

function expectedNumber(expected: PreparedWrite['expectedVersion']): number {
  if (expected === 'any') return ANY
  if (expected === 'stream-exists') return EXISTS
  return expected === 'no-stream' ? 0 : expected
}
