import type { SqlValue } from '@varve/sql'
import { padded } from './sizes.js'

/** What tells one stream from all others. */
export interface StreamKey {
  readonly tenantId: string
  readonly streamId: string
}

/**
 * The condition for the heads of these streams, its parameters to be added behind those that there are. Of one tenant they are
 * a list, which costs MariaDB a fifth of what pairs do; and pairs in a list, of which there is but one, it would look for in the
 * whole table.
 */
export function keyCondition(keys: readonly StreamKey[], params: SqlValue[]): string {
  const bind = (value: string): string => `$${params.push(value)}`
  const [first] = keys
  const all = padded(keys)
  if (first !== undefined && keys.every(({ tenantId }) => tenantId === first.tenantId)) {
    return `tenant_id = ${bind(first.tenantId)} and stream_id in (${all.map(({ streamId }) => bind(streamId)).join(', ')})`
  }
  const pairs = all.map(
    ({ tenantId, streamId }) => `tenant_id = ${bind(tenantId)} and stream_id = ${bind(streamId)}`,
  )
  return `(${pairs.join(' or ')})`
}
