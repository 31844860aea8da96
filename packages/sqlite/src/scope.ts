import { AsyncLocalStorage } from 'node:async_hooks'

/** A transaction of a store's, as the code that runs inside it carries it along. */
export interface TransactionScope {
  /** The connection on which it is open. */
  readonly on: object
  /** What was open around it, on other connections. */
  readonly outer: TransactionScope | undefined
  open: boolean
}

const current = new AsyncLocalStorage<TransactionScope>()

/** Runs work as the inside of a transaction. What it leaves running keeps the scope, but that is closed at the end. */
export async function runInside<T>(on: object, work: () => Promise<T>): Promise<T> {
  const scope: TransactionScope = { on, outer: current.getStore(), open: true }
  try {
    return await current.run(scope, work)
  } finally {
    scope.open = false
  }
}

/** Whether the calling code runs inside an open transaction on this connection. */
export function isInside(on: object): boolean {
  for (let scope = current.getStore(); scope !== undefined; scope = scope.outer) {
    if (scope.on === on && scope.open) return true
  }
  return false
}
