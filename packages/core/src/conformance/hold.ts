import { deferred } from './deferred.js'
import type { EventStore, StoreTransaction } from '../event-store.js'

/** A transaction that is held open from outside. */
export interface Hold<T> {
  /** What the body gave, while the transaction is still open. On engines with one writer it may have to wait for others. */
  readonly ready: Promise<T>
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Rolls back whatever is still open. */
  abandon(): Promise<void>
}

const rolledBack = new Error('rolled back by the case')

export function hold<T>(store: EventStore, body: (tx: StoreTransaction) => Promise<T>): Hold<T> {
  const gate = deferred()
  const ready = deferred<T>()
  const ended = store.transaction(async (tx) => {
    ready.resolve(await body(tx))
    await gate.promise
  })
  ended.catch((error: unknown) => ready.reject(error))
  gate.promise.catch(() => undefined)
  ready.promise.catch(() => undefined)

  const rollback = async (): Promise<void> => {
    gate.reject(rolledBack)
    try {
      await ended
    } catch (error) {
      if (error !== rolledBack) throw error
    }
  }
  return {
    ready: ready.promise,
    commit() {
      gate.resolve()
      return ended
    },
    rollback,
    async abandon() {
      await rollback().catch(() => undefined)
    },
  }
}
