import type { RecordedEvent } from '@varve/core'
import { messageOf } from './led-checkpoint.js'
import type { LedCheckpoint } from './led-checkpoint.js'
import { commitPiece, Fenced, HandlerFailure, isPassing } from './piece.js'
import type { Piece } from './piece.js'
import { applyPolicy } from './policy.js'
import { tell } from './run-context.js'

/**
 * Commits the events and moves the checkpoint to `upTo`; where a handler fails, one event after the other, so that only the
 * culprit is dealt with. Returns early when the checkpoint has to be read again, or when it is stopped.
 */
export async function apply<Client>(
  led: LedCheckpoint<Client>,
  events: readonly RecordedEvent[],
  upTo: number,
  signal: AbortSignal,
): Promise<void> {
  let rest = events
  while (rest.length > 0 && !led.isStale && !signal.aborted) {
    const failure = await commit(led, { events: rest, upTo })
    const [first] = rest
    if (failure === undefined || first === undefined) return
    const single = rest.length === 1
    if (single || failure.index === 0) {
      await decide(led, first, single ? upTo : first.position, failure, signal)
      rest = rest.slice(1)
      continue
    }
    // what stands before the culprit is committed without it; a batch does not tell which one it is, so it is halved
    const before = rest.slice(0, failure.index ?? Math.ceil(rest.length / 2))
    await apply(led, before, before.at(-1)?.position ?? upTo, signal)
    rest = rest.slice(before.length)
  }
}

async function decide<Client>(
  led: LedCheckpoint<Client>,
  event: RecordedEvent,
  upTo: number,
  failure: Failure,
  signal: AbortSignal,
): Promise<void> {
  const again = async (): Promise<unknown> => (await commit(led, { events: [event], upTo }))?.error
  const outcome = await applyPolicy(led.projection.onError, failure.error, again, {
    signal,
    report: (error, action) => led.report({ error, action, position: event.position }),
    over: () => led.isStale,
  })
  if (outcome.action === 'done') return
  if (outcome.action === 'stop') {
    await led.fault(outcome.error, ` at the event of position ${event.position} (${event.type})`)
    return
  }
  const instead =
    outcome.action === 'skip' ? 'skip' : { message: messageOf(outcome.error), attempts: outcome.attempts }
  const failed = await commit(led, { events: [event], upTo, instead })
  if (failed !== undefined) {
    await led.fault(failed.error, ` while it parked the event of position ${event.position}`)
    return
  }
  if (instead !== 'skip') led.parkedBehind(event)
}

interface Failure {
  readonly error: unknown
  /** Which event of the piece it was about; undefined when that is not known. */
  readonly index: number | undefined
}

/** Gives what a handler has against the piece; throws what the database has. */
async function commit<Client>(led: LedCheckpoint<Client>, piece: Piece): Promise<Failure | undefined> {
  const { run, projection, parkedStreams } = led
  const row = led.current
  const started = performance.now()
  try {
    const begun = (client: Client): Promise<void> => led.begun(client)
    led.moved(await commitPiece({ run, projection, parkedStreams, begun }, row, piece))
  } catch (error) {
    if (error instanceof Fenced) {
      led.isStale = true
      return undefined
    }
    const failure =
      error instanceof HandlerFailure
        ? { error: error.cause, index: error.index }
        : { error, index: undefined }
    const passing = isPassing(run.driver, error)
    led.isStale = passing
    if (passing) throw failure.error
    return failure
  }
  tell(run.options.onBatch, {
    ...led.label,
    events: led.current.eventsProcessed - row.eventsProcessed,
    lastPosition: piece.upTo,
    durationMs: performance.now() - started,
  })
  return undefined
}
