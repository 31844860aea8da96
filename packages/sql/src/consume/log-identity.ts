import { CheckpointAheadError, ForeignLogError } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { LogReader } from '../read-all.js'
import type { Query } from '../read-access.js'
import type { Checkpoint } from './checkpoint.js'
import { keyLabel } from './key.js'

export async function readLogId(query: Query, dialect: Dialect): Promise<string> {
  const [row] = await query(`select value from ${dialect.table('varve_meta')} where name = 'log_id'`)
  return (row?.[0] ?? '') as string
}

export interface LogIdentityContext {
  readonly dialect: Dialect
  readonly query: Query
  readonly log: LogReader
}

/**
 * Whether a checkpoint belongs to the log as it is now.
 *
 * @throws ForeignLogError when it was made on another log.
 * @throws CheckpointAheadError when the log ends before it, or has another event where it remembers one.
 */
export async function checkIdentity(
  { dialect, query, log }: LogIdentityContext,
  checkpoint: Checkpoint,
): Promise<void> {
  const label = `The checkpoint of ${keyLabel(checkpoint, checkpoint.shards)}`
  const remedy = 'Rebuild the projection (projections.rebuild), or move its checkpoint (projections.reset).'
  const logId = await readLogId(query, dialect)
  if (logId !== checkpoint.logId) {
    throw new ForeignLogError(
      `${label} was made on the log ${checkpoint.logId}, this is the log ${logId}: tables were copied or restored apart. ${remedy}`,
    )
  }
  const { lastPosition, lastEventId, lastEventPosition: at } = checkpoint
  const end = await highestEver(query, dialect)
  if (lastPosition > end) {
    throw new CheckpointAheadError(
      `${label} is at position ${lastPosition}, but the log ends at ${end}: it was restored from a backup. ${remedy}`,
    )
  }
  if (lastEventId === undefined) return
  const found = await log.at(query, at)
  if (found?.id === lastEventId) return
  // retention drops the oldest events; a single one that is missing was never there
  if (found === undefined && !(await hasEventsBefore(query, dialect, at))) return
  throw new CheckpointAheadError(
    `${label} remembers event ${lastEventId} at position ${at}, where the log has ` +
      `${found === undefined ? 'none' : `event ${found.id}`}: it was restored from a backup. ${remedy}`,
  )
}

async function hasEventsBefore(query: Query, dialect: Dialect, position: number): Promise<boolean> {
  const rows = await query(`select 1 from ${dialect.table('events')} where position < $1 limit 1`, [position])
  return rows.length > 0
}

/** The end of the log; or what is noted of it, as the last events may have been dropped by retention. */
async function highestEver(query: Query, dialect: Dialect): Promise<number> {
  const meta = dialect.table('varve_meta')
  const [row] = await query(
    `select (select max(position) from ${dialect.table('events')}), ` +
      `(select value from ${meta} where name = 'settled_position')`,
  )
  const number = (value: unknown): number =>
    value === null || value === undefined ? 0 : dialect.decode.number(value)
  return Math.max(number(row?.[0]), number(row?.[1]))
}
