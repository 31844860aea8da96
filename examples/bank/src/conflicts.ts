import { isConcurrencyError, newEvent } from '@varve/core'
import type { EventStore } from '@varve/core'
import { DOCUMENTS_ACCOUNT, DOCUMENTS_DEPOSIT } from './documents.ts'
import type { Write } from './report.ts'

export interface Conflict {
  readonly expected: number
  readonly actual: number
}

/** A second teller, who read the account before the deposit came in, writes on top of version 1. */
export async function provokeConflict(store: EventStore, write: Write): Promise<Conflict | undefined> {
  const late = newEvent({
    type: 'money.withdrawn',
    data: { aggregateId: DOCUMENTS_ACCOUNT, amount: '1100.00', reference: 'WDR-LATE' },
  })
  try {
    await store.append(DOCUMENTS_ACCOUNT, [late], { expectedVersion: 1 })
    write('  the late withdrawal went through')
    return undefined
  } catch (error) {
    if (!isConcurrencyError(error)) throw error
    const versions = `expected version ${String(error.expectedVersion)}, actual ${error.actualVersion}`
    write(`  a withdrawal decided on version 1: ${error.name}, ${versions}`)
    return { expected: 1, actual: error.actualVersion }
  }
}

/** The answer to the deposit was lost, so it is sent once more, just as it was the first time. */
export async function repeatDeposit(store: EventStore, write: Write): Promise<boolean> {
  const original = await store.getEvent(DOCUMENTS_DEPOSIT)
  if (original === undefined) throw new Error("the documents' deposit is missing")
  const { id, type, data, metadata, occurredAt } = original
  const result = await store.append(DOCUMENTS_ACCOUNT, [{ id, type, data, metadata, occurredAt }], {
    expectedVersion: 1,
  })
  const place = `version ${result.version}, position ${result.position}`
  write(`  the deposit, sent again with its id: duplicate: ${result.duplicate}, still at ${place}`)
  return result.duplicate && result.version === original.version && result.position === original.position
}
