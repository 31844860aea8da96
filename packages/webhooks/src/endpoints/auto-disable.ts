import type { EventStore } from '@varve/core'
import { EVERYBODY } from '../scope.js'
import { repeated } from '../sql/database.js'
import type { Database } from '../sql/database.js'
import type { EndpointStore } from './endpoint-store.js'

/** The event that says so, in the log of the endpoint's tenant. */
export const ENDPOINT_DISABLED = 'webhook.endpoint_disabled'

/** Disables an endpoint and appends an event that says so, in one transaction. Resolves to whether it had been enabled. */
export async function autoDisable(
  context: { readonly store: EventStore; readonly database: Database; readonly endpoints: EndpointStore },
  endpointId: string,
  reason: 'gone' | 'failing',
): Promise<boolean> {
  const { store, database, endpoints } = context
  const found = await endpoints.find(database.query, EVERYBODY, endpointId)
  if (found === undefined || !found.enabled) return false
  const { tenantId = store.tenantId } = found
  const own = tenantId === store.tenantId ? store : store.forTenant(tenantId)
  return repeated(() =>
    own.transaction(async (tx) => {
      const session = database.access.session(tx)
      let disabled = false
      await endpoints.changeWithin(session, EVERYBODY, endpointId, async (_, endpoint) => {
        disabled = endpoint.enabled
        await session.query(`update ${database.health} set active = $1 where endpoint_id = $2`, [
          database.syntax.bool(false),
          endpointId,
        ])
        return disabled
          ? {
              enabled: database.syntax.bool(false),
              disabled_reason: reason,
              disabled_at: { sql: database.now },
            }
          : {}
      })
      if (!disabled) return false
      const data = { endpointId, host: new URL(found.url).host, reason }
      await tx.append(`webhook-endpoint-${endpointId}`, [{ type: ENDPOINT_DISABLED, data }], {
        streamType: 'webhook-endpoint',
      })
      return true
    }),
  )
}
