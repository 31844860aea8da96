import { consumerFaults } from './sabotage/consumers.js'
import { processFaults } from './sabotage/processes.js'
import { statementFaults } from './sabotage/statements.js'
import { subscriptionFaults } from './sabotage/subscriptions.js'
import { turnsRedFor } from './sabotage/turns-red.js'

turnsRedFor([...processFaults, ...statementFaults, ...consumerFaults, ...subscriptionFaults])
