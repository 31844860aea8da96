import type { Projection, ProjectionTransaction, RecordedEvent } from '@varve/core'
import type { SqlDriver, SqlSession } from '../driver.js'
import type { Checkpoint } from './checkpoint.js'
import { parkedStream } from './parked.js'
import { projectionTransaction } from './projection-tx.js'
import type { RunContext } from './run-context.js'
import { mayPass } from './tail.js'

/** The checkpoint is not as it was seen: another process leads, or somebody paused or moved the projection. */
export class Fenced extends Error {}

/** A handler failed. What it was about is known when events are handled one by one. */
export class HandlerFailure extends Error {
  readonly index: number | undefined

  constructor(error: unknown, index: number | undefined) {
    super('a handler failed', { cause: error })
    this.index = index
  }
}

/**
 * Whether the database failed, and may not fail again. A deadlock or a lost connection is not the handler's fault, whoever's
 * statement it was; a statement that took too long is, when it was one of the handler's own.
 */
export function isPassing(driver: Pick<SqlDriver, 'classify'>, error: unknown): boolean {
  if (!(error instanceof HandlerFailure)) return mayPass(driver, error)
  return mayPass(driver, error.cause) && driver.classify(error.cause).kind !== 'timeout'
}

/** A piece of the log, to be committed together with the checkpoint behind it. */
export interface Piece {
  readonly events: readonly RecordedEvent[]
  /** What the checkpoint moves to: at least the last event's position. */
  readonly upTo: number
  /** The one event of the piece is not handled, but passed over or parked. */
  readonly instead?: 'skip' | { readonly message: string; readonly attempts: number }
}

export interface PieceContext<Client> {
  readonly run: RunContext<Client>
  readonly projection: Projection<Client>
  /** Streams whose events wait behind a parked one. */
  readonly parkedStreams: ReadonlySet<string>
  /** Called before the first statement, with the connection. */
  readonly begun?: (client: Client) => Promise<void>
}

/**
 * Runs the handlers over a piece and moves the checkpoint, in one transaction whose last statement is the fence. Gives the
 * checkpoint as it is then.
 *
 * @throws Fenced, HandlerFailure, or what the database says; nothing was written then.
 */
export async function commitPiece<Client>(
  context: PieceContext<Client>,
  seen: Checkpoint,
  piece: Piece,
): Promise<Checkpoint> {
  const { driver, dialect, checkpoints, options } = context.run
  let applied = 0
  await driver.transaction(
    async (session) => {
      await context.begun?.(session.client)
      applied = await handleAll(context, session, seen, piece)
      const last = piece.events.at(-1)
      if (!(await checkpoints.advance(session, seen, { position: piece.upTo, event: last, applied })))
        throw new Fenced()
    },
    { settings: dialect.consume.pieceSettings(options.leaseMs) },
  )
  const last = piece.events.at(-1)
  return {
    ...seen,
    lastPosition: piece.upTo,
    eventsProcessed: seen.eventsProcessed + applied,
    ...(last !== undefined && { lastEventId: last.id, lastEventPosition: last.position }),
  }
}

async function handleAll<Client>(
  context: PieceContext<Client>,
  session: SqlSession<Client>,
  seen: Checkpoint,
  { events, instead }: Piece,
): Promise<number> {
  const { projection, parkedStreams, run } = context
  if (instead !== undefined) {
    if (instead === 'skip') return 0
    for (const event of events) await run.parked.park(session, seen, event, instead)
    return 0
  }
  const tx = projectionTransaction(projection, session)
  const waits = (event: RecordedEvent): boolean =>
    parkedStreams.size > 0 && parkedStreams.has(parkedStream(event))
  const own = parkedStreams.size === 0 ? events : events.filter((event) => !waits(event))
  if (projection.batch !== undefined) await handleBatch(projection, own, tx)
  else await handleEach(projection, events, own, tx)
  // the checkpoint would be moved without what the handlers wrote
  if (own.length > 0) await session.assertOpen?.()
  if (own.length < events.length) {
    // discarded meanwhile, the stream would wait for nobody: such a piece is done again
    const parked = await run.parked.streams((...query) => session.query(...query), seen)
    for (const event of events.filter(waits)) {
      if (!parked.has(parkedStream(event))) throw new Fenced()
      await run.parked.park(session, seen, event)
    }
  }
  return own.length
}

async function handleBatch<Client>(
  projection: Projection<Client>,
  events: readonly RecordedEvent[],
  tx: ProjectionTransaction<Client>,
): Promise<void> {
  if (events.length === 0) return
  try {
    await projection.batch?.(events, tx)
  } catch (error) {
    throw new HandlerFailure(error, events.length === 1 ? 0 : undefined)
  }
}

async function handleEach<Client>(
  projection: Projection<Client>,
  all: readonly RecordedEvent[],
  events: readonly RecordedEvent[],
  tx: ProjectionTransaction<Client>,
): Promise<void> {
  for (const event of events) {
    try {
      const result = handlerOf(projection, event.type)?.(event, tx)
      // a handler that has nothing to wait for does not make the others wait
      if (result instanceof Promise || isThenable(result)) await result
    } catch (error) {
      throw new HandlerFailure(error, all.indexOf(event))
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** The handler of the type itself, else that of the longest prefix. */
export function handlerOf<Client>(
  projection: Projection<Client>,
  type: string,
): Projection<Client>['handles'][string] | undefined {
  const { handles } = projection
  const exact = handles[type]
  if (exact !== undefined) return exact
  for (let dot = type.lastIndexOf('.'); dot > 0; dot = type.lastIndexOf('.', dot - 1)) {
    const prefixed = handles[`${type.slice(0, dot)}.*`]
    if (prefixed !== undefined) return prefixed
  }
  return undefined
}
