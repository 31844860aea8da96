import type { Checkpoint } from './checkpoint.js'
import { binder } from '../where.js'
import { keyText } from './key.js'
import type { RunContext } from './run-context.js'

export type Glance = Pick<Checkpoint, 'status' | 'pendingStep' | 'lastPosition'> & {
  readonly retryRequested: boolean
}

/** How the checkpoints of these projections stand, in one cheap query: somebody may have paused or moved them. */
export async function glanceAt<Client>(
  { dialect, query }: Pick<RunContext<Client>, 'dialect' | 'query'>,
  names: readonly string[],
): Promise<Map<string, Glance>> {
  const { params, bind } = binder()
  const parked = dialect.table('parked_events')
  const requested =
    `select 1 from ${parked} p where p.tenant_id = c.tenant_id and p.projection_name = c.projection_name ` +
    'and p.projection_version = c.projection_version and p.shard = c.shard and p.retry_requested = 1'
  const text =
    'select c.tenant_id, c.projection_name, c.projection_version, c.shard, c.status, c.pending_step, c.last_position, ' +
    `case when exists (${requested}) then 1 else 0 end from ${dialect.table('projection_checkpoints')} c ` +
    `where ${dialect.filter.anyOf('c.projection_name', names, bind)}`
  const number = (value: unknown): number => dialect.decode.number(value)
  const rows = await query(text, params, (row): [string, Glance] => [
    keyText({
      tenantId: String(row[0]),
      name: String(row[1]),
      version: number(row[2]),
      shard: number(row[3]),
    }),
    {
      status: row[4] as Checkpoint['status'],
      pendingStep: row[5] === null ? undefined : (row[5] as Checkpoint['pendingStep']),
      lastPosition: number(row[6]),
      retryRequested: number(row[7]) === 1,
    },
  ])
  return new Map(rows)
}
