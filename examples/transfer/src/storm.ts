import { createRepository, executeCommand } from '@varve/core'
import type { EventStore } from '@varve/core'
import { account, deposit, open } from './account.ts'
import { transfer } from './transfer.ts'

const ACCOUNTS = 10
const EACH = 1_000_00

/** Fifty transfers at once among ten accounts. Gives what all accounts hold before and after. */
export async function storm(store: EventStore): Promise<{ before: number; after: number; retried: number }> {
  // new accounts each time: the storm may come again on the same database
  const run = `storm-${Date.now()}-${Math.random().toString(36).slice(2)}`
  const name = (n: number) => `${run}-${n % ACCOUNTS}`
  const accounts = createRepository(store, account)
  for (let n = 0; n < ACCOUNTS; n++) {
    await accounts.handle(name(n), open(`Owner ${n}`))
    await accounts.handle(name(n), deposit(EACH))
  }
  const attempts = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const command = { id: `${run}-${n}`, from: name(n), to: name(n * 3 + 1), cents: 1_00 + n * 37_00 }
      const done = await executeCommand(store, transfer, command, { commandId: command.id, retries: 200 })
      return done.attempts
    }),
  )
  let after = 0
  for (let n = 0; n < ACCOUNTS; n++) after += (await accounts.load(name(n))).state.cents
  return { before: ACCOUNTS * EACH, after, retried: attempts.filter((count) => count > 1).length }
}
