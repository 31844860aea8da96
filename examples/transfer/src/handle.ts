import { createRepository, executeCommand } from '@varve/core'
import type { EventStore } from '@varve/core'
import { account, deposit, open } from './account.ts'
import type { Line } from './input.ts'
import { LIMITS, limits } from './limits.ts'
import { transfer } from './transfer.ts'

export interface Outcome {
  readonly line: Line
  /** Whether an earlier run had stored it. */
  readonly known: boolean
  /** Why a transfer was refused, if it was. */
  readonly refused?: string
}

export const accountsOf = (store: EventStore) =>
  createRepository(store, account, { snapshots: { every: 10, keep: 2 } })

/** Handles one line of the input. Doing it again, or in several processes at once, changes nothing. */
export async function handle(store: EventStore, line: Line): Promise<Outcome> {
  const options = { commandId: line.id, envelope: { occurredAt: new Date(line.at) }, retries: 20 }
  switch (line.do) {
    case 'open': {
      const { duplicate } = await accountsOf(store).handle(line.account, open(line.owner), options)
      return { line, known: duplicate }
    }
    case 'deposit': {
      const { duplicate } = await accountsOf(store).handle(line.account, deposit(line.cents), options)
      return { line, known: duplicate }
    }
    case 'limit': {
      const { cents } = line
      const { duplicate } = await createRepository(store, limits).handle(
        LIMITS,
        () => (cents === null ? { type: 'limit.lifted', data: {} } : { type: 'limit.set', data: { cents } }),
        options,
      )
      return { line, known: duplicate }
    }
    default: {
      const { events, duplicate } = await executeCommand(store, transfer, line, options)
      const refusal = events.find((event) => event.type === 'transfer.refused')
      return { line, known: duplicate, ...(refusal !== undefined && { refused: refusal.data.reason }) }
    }
  }
}
