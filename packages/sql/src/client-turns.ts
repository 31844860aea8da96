import { AsyncLocalStorage } from 'node:async_hooks'

/** A call under way, as the code that runs inside it carries it along. */
interface Call {
  readonly client: object
  /** What is under way around it, on other clients. */
  readonly outer: Call | undefined
  open: boolean
}

const current = new AsyncLocalStorage<Call>()
const last = new WeakMap<object, Promise<unknown>>()

/**
 * Runs work once all that was asked of the client before is done, through whichever handle: savepoints that cross would roll
 * back what others were told is stored. A call from inside of such work would wait for itself, and goes on at once.
 */
export function inTurn<T>(client: object, work: () => Promise<T>): Promise<T> {
  if (isInside(client)) return work()
  const call: Call = { client, outer: current.getStore(), open: true }
  const result = turnsOver(client).then(async () => {
    try {
      return await current.run(call, work)
    } finally {
      call.open = false
    }
  })
  last.set(
    client,
    result.catch(() => undefined),
  )
  return result
}

/** Resolves when what was asked of the client by now is done. */
export async function turnsOver(client: object): Promise<void> {
  await last.get(client)
}

/** Nothing that an earlier transaction left behind on the client is waited for. */
export function freshTurns(client: object): void {
  last.delete(client)
}

function isInside(client: object): boolean {
  for (let call = current.getStore(); call !== undefined; call = call.outer) {
    if (call.client === client && call.open) return true
  }
  return false
}
