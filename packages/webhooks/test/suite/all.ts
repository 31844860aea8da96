import { describe } from 'vitest'
import { adminCases } from './admin.cases.js'
import { claimingCases } from './claiming.cases.js'
import { deliveryCases } from './delivery.cases.js'
import { databaseFaults } from './faults-database.cases.js'
import { operationFaults } from './faults-operations.cases.js'
import { receiverFaults } from './faults-receiver.cases.js'
import { workerFaults } from './faults-worker.cases.js'
import { leftBehindCases } from './left-behind.cases.js'
import { orderingCases } from './ordering.cases.js'
import { outageCases } from './outages.cases.js'
import { requestCases } from './requests.cases.js'
import { statsCases } from './stats.cases.js'
import { useEngine } from '../support/use-engine.js'

/** The whole suite, on one engine. */
export function webhooksOn(name: string): void {
  describe(`webhooks on ${name}`, () => {
    const engine = useEngine(name)
    deliveryCases(engine)
    requestCases(engine)
    claimingCases(engine)
    adminCases(engine)
    orderingCases(engine)
    leftBehindCases(engine)
    receiverFaults(engine)
    workerFaults(engine)
    operationFaults(engine)
    databaseFaults(engine)
    statsCases(engine)
    if (name !== 'sqlite') outageCases(engine)
  })
}
