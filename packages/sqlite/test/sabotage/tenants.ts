import type { EventReader } from '@varve/core'
import type { Fault } from './wrap.js'

export const tenantFaults: Fault[] = [
  {
    name: 'reads the events of all tenants',
    caughtBy: 'tenants',
    breaks: (store, root) => ({ readAll: (options) => root.allTenants().readAll(options) }),
  },
  {
    name: 'gets events of other tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({
      getEvent: async (id) =>
        (await root.allTenants().readAll().toArray()).find((event) => event.id === id.toLowerCase()),
    }),
  },
  {
    name: 'counts the events of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ statistics: () => root.allTenants().statistics() }),
  },
  {
    name: 'has the last position of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ lastPosition: () => root.allTenants().lastPosition() }),
  },
  {
    name: 'lists the streams of all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ listStreams: (options) => root.allTenants().listStreams(options) }),
  },
  {
    name: 'verifies all tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ verify: (options) => root.allTenants().verify(options) }),
  },
  {
    name: 'lets a bound handle read across tenants',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ allTenants: () => root.allTenants() }),
  },
  {
    name: 'writes for the default tenant',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ append: (...call) => root.append(...call) }),
  },
  {
    name: 'binds a bound handle to another tenant',
    caughtBy: 'tenants',
    breaks: (store, root) => (store === root ? {} : { forTenant: (tenantId) => root.forTenant(tenantId) }),
  },
  {
    name: 'lets a bound handle migrate',
    caughtBy: 'tenants',
    breaks: (_, root) => ({ migrate: () => root.migrate() }),
  },
  {
    name: 'reads only one tenant across tenants',
    caughtBy: 'tenants',
    breaks: (store) => ({ allTenants: (): EventReader => store }),
  },
]
