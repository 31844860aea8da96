import { describe } from 'vitest'
import { adminCases } from './suite/admin.cases.js'
import { deliveryCases } from './suite/delivery.cases.js'
import { databaseFaults } from './suite/faults-database.cases.js'
import { operationFaults } from './suite/faults-operations.cases.js'
import { receiverFaults } from './suite/faults-receiver.cases.js'
import { workerFaults } from './suite/faults-worker.cases.js'
import { orderingCases } from './suite/ordering.cases.js'
import { outageCases } from './suite/outages.cases.js'
import { statsCases } from './suite/stats.cases.js'
import { engines } from './support/engines.js'
import { useEngine } from './support/use-engine.js'

describe.each(Object.keys(engines))('webhooks on %s', (name) => {
  const engine = useEngine(name)
  deliveryCases(engine)
  adminCases(engine)
  orderingCases(engine)
  receiverFaults(engine)
  workerFaults(engine)
  operationFaults(engine)
  databaseFaults(engine)
  statsCases(engine)
  if (name !== 'sqlite') outageCases(engine)
})
