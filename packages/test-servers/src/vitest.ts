import { inject } from 'vitest'
import { createDatabaseOn, type TestDatabase } from './database.ts'
import type { ServerAddress, ServerKind } from './server.ts'
import './provided.ts'

export { appendsSurvive, type AppendSurvival } from './appends-survive.ts'
export { restoresElsewhereSurvive } from './restored-elsewhere.ts'
export { rewritesTurnRed, type Rewrite, type RewriteFault } from './rewritten.ts'
export { consumersSurvive, type Survival } from './consumers-survive.ts'

/** Where the server is that the global setup started. */
export function serverAddress(kind: ServerKind): ServerAddress {
  const address: ServerAddress | undefined = inject(kind)
  if (!address) throw new Error(`no ${kind} server runs: add '${kind}' to testServers in vitest.config.ts`)
  return address
}

/** Makes an empty database in the server that the global setup started; `drop()` it when the tests are done. */
export function createDatabase(kind: ServerKind): Promise<TestDatabase> {
  return createDatabaseOn(serverAddress(kind))
}
