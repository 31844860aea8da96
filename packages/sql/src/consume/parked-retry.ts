import type { Projection } from '@varve/core'
import type { Checkpoint } from './checkpoint.js'
import { parkedStream } from './parked.js'
import type { ParkedRow } from './parked.js'
import { Fenced, handlerOf } from './piece.js'
import { projectionTransaction } from './projection-tx.js'
import type { RunContext } from './run-context.js'
import { mayPass } from './tail.js'

export interface RetryHooks<Client> {
  readonly signal: AbortSignal
  readonly begun: (client: Client) => Promise<void>
  readonly report: (error: unknown, position: number) => void
}

/**
 * Handles the parked events that were asked for again, in the order of each stream, each in a transaction with its removal.
 * The first that fails keeps the rest of its stream. Gives whether the checkpoint has to be read again.
 */
export async function retryParked<Client>(
  run: RunContext<Client>,
  projection: Projection<Client>,
  row: Checkpoint,
  hooks: RetryHooks<Client>,
): Promise<boolean> {
  const { tenantId, name, version, shard } = row
  const selection = { tenantIds: [tenantId], name, version, shard }
  const requested = await run.parked.list(run.query, { ...selection, requested: true })
  const streams = new Map(requested.map((parked) => [parkedStream(parked), parked]))
  let stale = false
  for (const { tenantId: eventTenantId, streamId } of streams.values()) {
    for (const parked of await run.parked.list(run.query, { ...selection, eventTenantId, streamId })) {
      // what is left stays asked for
      if (hooks.signal.aborted) return stale
      try {
        await handleAgain(run, projection, row, parked, hooks)
      } catch (error) {
        if (error instanceof Fenced) return true
        if (error instanceof Discarded) {
          stale = true
          continue
        }
        if (mayPass(run.driver, error) && run.driver.classify(error).kind !== 'timeout') throw error
        hooks.report(error, parked.position)
        const message = error instanceof Error ? error.message : String(error)
        await run.driver.transaction((session) => run.parked.failed(session, parked, message))
        break
      }
    }
  }
  return stale
}

/** Somebody discarded it meanwhile. */
class Discarded extends Error {}

async function handleAgain<Client>(
  { driver, dialect, log, query, parked, checkpoints, options }: RunContext<Client>,
  projection: Projection<Client>,
  row: Checkpoint,
  { key, position }: ParkedRow,
  hooks: RetryHooks<Client>,
): Promise<void> {
  const event = await log.at(query, position)
  if (event === undefined) throw new Error('the event is not in the log any more')
  await driver.transaction(
    async (session) => {
      await hooks.begun(session.client)
      if (!(await parked.remove(session, { key, position }))) throw new Discarded()
      const tx = projectionTransaction(projection, session)
      if (projection.batch !== undefined) await projection.batch([event], tx)
      else await handlerOf(projection, event.type)?.(event, tx)
      if (!(await checkpoints.touch(session, row))) throw new Fenced()
    },
    { settings: dialect.consume.pieceSettings(options.leaseMs) },
  )
}
