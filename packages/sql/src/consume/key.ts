import type { SqlValue } from '../driver.js'

/** A row of the tables of projections. */
export interface ProjectionKey {
  /** `''` for all tenants. */
  readonly tenantId: string
  readonly name: string
  readonly version: number
  readonly shard: number
}

/** Takes the first four parameters. */
export const KEY = 'tenant_id = $1 and projection_name = $2 and projection_version = $3 and shard = $4'
/** All shards of a version; takes the first three parameters. */
export const VERSION_KEY = 'tenant_id = $1 and projection_name = $2 and projection_version = $3'

export function keyValues({ tenantId, name, version, shard }: ProjectionKey): SqlValue[] {
  return [tenantId, name, version, shard]
}

export function keyText({ tenantId, name, version, shard }: ProjectionKey): string {
  return `${tenantId}\0${name}\0${version}\0${shard}`
}

/** For messages: `inventory_stock v2 (shard 1)`. */
export function keyLabel({ name, version, shard }: ProjectionKey, shards: number): string {
  return shards === 1 ? `${name} v${version}` : `${name} v${version} (shard ${shard})`
}
