import type { ProjectionInfo, ProjectionStatus, ShardInfo } from '@varve/core'
import type { Query } from '../read-access.js'
import type { Dialect } from '../dialect.js'
import type { SqlDriver } from '../driver.js'
import type { Checkpoint, Checkpoints } from './checkpoint.js'
import { lagOf } from './lag.js'
import { Leases } from './leases.js'
import { keyText } from './key.js'
import type { Tail } from './tail.js'

interface DescribeContext {
  readonly driver: SqlDriver
  readonly dialect: Dialect
  readonly query: Query
  readonly checkpoints: Checkpoints
  readonly tail: Tail
}

/** From the worst on. */
const worst: readonly ProjectionStatus[] = ['faulted', 'paused', 'rebuilding', 'running']

/** What the tables tell of the projections that are wanted, one by one. */
export async function describeProjections(
  context: DescribeContext,
  wanted: (row: Checkpoint) => boolean,
): Promise<ProjectionInfo[]> {
  const { driver, dialect, query, checkpoints } = context
  const rows = (await checkpoints.all(query)).filter(wanted)
  if (rows.length === 0) return []
  const names = [...new Set(rows.map((row) => row.name))]
  const leases = new Map(
    (await new Leases(driver, dialect).read(query, names)).map((lease) => [keyText(lease), lease]),
  )
  const parked = await parkedCounts(context)
  const groups = Map.groupBy(rows, versionText)
  const infos: ProjectionInfo[] = []
  for (const [text, group] of groups) {
    const shards = group.map((row): ShardInfo => {
      const lease = leases.get(keyText(row))
      return shardInfo(
        row,
        lease === undefined || lease.expired || lease.owner === '' ? undefined : lease.owner,
      )
    })
    const [first] = group
    if (first === undefined) continue
    const lastPosition = Math.min(...group.map((row) => row.lastPosition))
    const lag = await lagOf(query, dialect, first.tenantId, lastPosition)
    infos.push(
      summary(first, shards, { lag, lastPosition, parkedEvents: parked.get(text) ?? 0 }, context.tail),
    )
  }
  return infos
}

function summary(
  { tenantId, name, version }: Checkpoint,
  shards: readonly ShardInfo[],
  counted: Pick<ProjectionInfo, 'lag' | 'lastPosition' | 'parkedEvents'>,
  { blocker }: Tail,
): ProjectionInfo {
  const status = worst.find((one) => shards.some((shard) => shard.status === one)) ?? 'running'
  const errorMessage = shards.find((shard) => shard.errorMessage !== undefined)?.errorMessage
  const times = shards.flatMap((shard) => shard.lastProcessedAt?.getTime() ?? [])
  return {
    ...(tenantId !== '' && { tenantId }),
    name,
    version,
    status,
    ...(errorMessage !== undefined && { errorMessage }),
    ...(times.length > 0 && { lastProcessedAt: new Date(Math.max(...times)) }),
    eventsProcessed: shards.reduce((sum, shard) => sum + shard.eventsProcessed, 0),
    ...counted,
    shards,
    ...(blocker !== undefined && { blocker }),
  }
}

function shardInfo(row: Checkpoint, owner: string | undefined): ShardInfo {
  const { shard, status, errorMessage, lastPosition, lastProcessedAt, eventsProcessed, epoch } = row
  return {
    shard,
    status,
    ...(errorMessage !== undefined && { errorMessage }),
    lastPosition,
    ...(lastProcessedAt !== undefined && { lastProcessedAt }),
    eventsProcessed,
    epoch,
    ...(owner !== undefined && { owner }),
  }
}

async function parkedCounts({ dialect, query }: DescribeContext): Promise<Map<string, number>> {
  const number = (value: unknown): number => dialect.decode.number(value)
  const rows = await query(
    'select tenant_id, projection_name, projection_version, count(*) ' +
      `from ${dialect.table('parked_events')} group by tenant_id, projection_name, projection_version`,
    [],
    (row): [string, number] => [
      versionText({ tenantId: String(row[0]), name: String(row[1]), version: number(row[2]) }),
      number(row[3]),
    ],
  )
  return new Map(rows)
}

function versionText({ tenantId, name, version }: Pick<Checkpoint, 'tenantId' | 'name' | 'version'>): string {
  return `${tenantId}\0${name}\0${version}`
}
