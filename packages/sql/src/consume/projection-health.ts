import type { HealthReport } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { Query } from '../read-access.js'
import { Checkpoints } from './checkpoint.js'
import { keyLabel } from './key.js'
import { secondsSince } from './lag.js'

type Check = HealthReport['checks'][number]

/** A projection that is so far behind is worth a look. */
const SLOW_SECONDS = 60

/** Whether the projections get on; the ones that do not are named, with what stands in their way. */
export async function checkProjections(query: Query, dialect: Dialect): Promise<Check[]> {
  const rows = await new Checkpoints(dialect).all(query)
  if (rows.length === 0) return []
  const problems: string[] = []
  for (const row of rows) {
    const label = keyLabel(row, row.shards)
    if (row.status === 'faulted')
      problems.push(`${label} stands still: ${row.errorMessage ?? 'its handler failed'}`)
    if (row.status !== 'running') continue
    const seconds = await secondsSince(query, dialect, row.tenantId, row.lastPosition)
    if (seconds > SLOW_SECONDS) problems.push(`${label} is ${Math.round(seconds)} s behind the log`)
  }
  if (problems.length > 0) return [{ name: 'projections', status: 'degraded', detail: problems.join('; ') }]
  const counted = new Map<string, number>()
  for (const { status } of rows) counted.set(status, (counted.get(status) ?? 0) + 1)
  return [
    {
      name: 'projections',
      status: 'ok',
      detail: [...counted].map(([status, count]) => `${count} ${status}`).join(', '),
    },
  ]
}
