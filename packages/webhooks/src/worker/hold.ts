import type { Database } from '../sql/database.js'

const HOLD_MS = 30_000

/** Sends nothing to an endpoint for a while: what it takes is missing here, and may be there soon. */
export async function holdEndpoint(database: Database, endpointId: string, reason: string): Promise<void> {
  const { health, now, syntax } = database
  await database.query(
    `update ${health} set not_before = ${syntax.after(now, String(HOLD_MS))}, hold_reason = $1 where endpoint_id = $2`,
    [reason, endpointId],
  )
}
