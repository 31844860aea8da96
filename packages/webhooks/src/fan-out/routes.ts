import type { RecordedEvent } from '@varve/core'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'

const ALL = '*'
// tenants have names; this cannot be one
const EVERY_TENANT = ''

interface Table {
  readonly all: StoredEndpoint[]
  readonly exact: Map<string, StoredEndpoint[]>
  /** With the dot at the end. */
  readonly prefixed: Map<string, StoredEndpoint[]>
}

/** Which endpoints want an event; asked once for each event, so that it looks things up instead of trying all. */
export class Routes {
  readonly #tables = new Map<string, Table>()

  constructor(endpoints: readonly StoredEndpoint[]) {
    for (const endpoint of endpoints) {
      const table = this.#tableOf(endpoint.tenantId ?? EVERY_TENANT)
      for (const type of endpoint.events) {
        if (type === ALL) table.all.push(endpoint)
        else if (type.endsWith('.*')) push(table.prefixed, type.slice(0, -1), endpoint)
        else push(table.exact, type, endpoint)
      }
    }
  }

  /** Each once, disabled ones too. */
  endpointsFor(event: Pick<RecordedEvent, 'tenantId' | 'type' | 'position'>): StoredEndpoint[] {
    const found = new Set<StoredEndpoint>()
    for (const tenant of [event.tenantId, EVERY_TENANT]) {
      const table = this.#tables.get(tenant)
      if (table === undefined) continue
      for (const endpoint of table.all) found.add(endpoint)
      for (const endpoint of table.exact.get(event.type) ?? []) found.add(endpoint)
      for (let dot = event.type.indexOf('.'); dot !== -1; dot = event.type.indexOf('.', dot + 1)) {
        for (const endpoint of table.prefixed.get(event.type.slice(0, dot + 1)) ?? []) found.add(endpoint)
      }
    }
    return [...found].filter(({ startPosition }) => event.position > startPosition)
  }

  #tableOf(tenant: string): Table {
    let table = this.#tables.get(tenant)
    if (table === undefined) {
      table = { all: [], exact: new Map(), prefixed: new Map() }
      this.#tables.set(tenant, table)
    }
    return table
  }
}

function push(map: Map<string, StoredEndpoint[]>, key: string, endpoint: StoredEndpoint): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [endpoint])
  else list.push(endpoint)
}
