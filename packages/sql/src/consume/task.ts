import {
  isEventStoreError,
  isLeaseLostError,
  LeaseLostError,
  ProjectionFaultedError,
  resolveReadAll,
  sleep,
} from '@varve/core'
import type { ErrorReport, Projection, RecordedEvent } from '@varve/core'
import type { Checkpoint } from './checkpoint.js'
import { checkIdentity } from './log-identity.js'
import { keyLabel } from './key.js'
import type { ProjectionKey } from './key.js'
import { LogPages } from './pages.js'
import type { LogPage } from './pages.js'
import { retryParked } from './parked-retry.js'
import { commitPiece, Fenced, HandlerFailure } from './piece.js'
import type { Piece } from './piece.js'
import { applyPolicy } from './policy.js'
import { tell } from './run-context.js'
import type { RunContext } from './run-context.js'
import { shardOf } from './shard.js'
import { prepare, runStep, Superseded } from './start.js'
import { dropTables, tryTakeOver } from './take-over.js'
import { mayPass } from './tail.js'

const MAX_BACKOFF_MS = 5_000
/** A checkpoint that only passes over events of others is written at most so often. */
const PASSING_EVERY_MS = 500

/** Stands still for good: a newer version has taken over. */
export type TaskState = 'standby' | 'leading' | 'superseded'

/** One shard of one projection, as long as this process has its lease. */
export class Task<Client> {
  readonly key: ProjectionKey
  readonly projection: Projection<Client>
  readonly #run: RunContext<Client>
  readonly #changed: () => void
  readonly #nameConnection: (connection: string) => Promise<void>
  #state: TaskState = 'standby'
  #row: Checkpoint | undefined
  /** Everything up to here was dealt with; the checkpoint may lie behind it, where there was nothing to do. */
  #position = 0
  #parkedStreams: Set<string> = new Set()
  #retryRequested = false
  #interrupt = new AbortController()
  #reload = false
  #reading = false
  #waiting = false
  #connection: string | undefined
  #writtenAt = 0
  #lastError: unknown

  constructor(
    run: RunContext<Client>,
    projection: Projection<Client>,
    key: ProjectionKey,
    hooks: { changed: () => void; nameConnection: (connection: string) => Promise<void> },
  ) {
    this.#run = run
    this.projection = projection
    this.key = key
    this.#changed = hooks.changed
    this.#nameConnection = hooks.nameConnection
  }

  get state(): TaskState {
    return this.#state
  }

  /** What keeps it from being led here, or made it stand still. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** The checkpoint, as this process has left it; undefined while another one leads. */
  get row(): Checkpoint | undefined {
    return this.#state === 'leading' ? this.#row : undefined
  }

  get position(): number {
    return this.#position
  }

  /** Whether parked events are to be handled again, or the checkpoint to be read again. */
  get isBusy(): boolean {
    return this.#retryRequested || this.#reload || this.#reading
  }

  /** Whether it waits for events, or stands still. */
  get isWaiting(): boolean {
    return this.#waiting
  }

  /** What the table says of the checkpoint: somebody may have paused or moved it. */
  glance(
    seen: Pick<Checkpoint, 'status' | 'pendingStep' | 'lastPosition'> | undefined,
    retryRequested: boolean,
  ): void {
    const row = this.#row
    // one that is at work finds out by itself, when it commits
    if (this.#state !== 'leading' || row === undefined || !this.#waiting) return
    if (retryRequested) this.#retryRequested = true
    const other =
      seen?.status !== row.status ||
      seen.pendingStep !== row.pendingStep ||
      seen.lastPosition !== row.lastPosition
    if (other) this.#reload = true
    if (other || retryRequested) this.#interrupt.abort()
  }

  /** Runs the projection until the signal aborts or the lease is gone. Never throws. */
  async lead(epoch: number, signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#interrupt.abort()
    signal.addEventListener('abort', stop)
    try {
      for (let failures = 0; !signal.aborted; failures++) {
        const before = this.#row?.eventsProcessed
        try {
          await this.#work(epoch, signal)
          return
        } catch (error) {
          if (signal.aborted) return
          if (error instanceof Superseded) {
            this.#state = 'superseded'
            return
          }
          this.#report({ error, action: 'restart' })
          if (isLeaseLostError(error)) return
          this.#lastError = error
          if (this.#row?.eventsProcessed !== before) failures = 0
          await sleep(Math.min(MAX_BACKOFF_MS, 20 * 2 ** Math.min(failures, 8)), signal).catch(
            () => undefined,
          )
        }
      }
    } finally {
      signal.removeEventListener('abort', stop)
      if (this.#state === 'leading') this.#state = 'standby'
      this.#row = undefined
      this.#connection = undefined
      this.#changed()
    }
  }

  /** Until it is stopped; throws what the database has against it. */
  async #work(epoch: number, signal: AbortSignal): Promise<void> {
    const { log, query, options, checkpoints, driver } = this.#run
    this.#row = await prepare(this.#run, this.projection, this.key, epoch, signal)
    if (this.#row === undefined) return
    // the one who takes a projection over tries it once more: the cause may be gone with the old process
    if (this.#row.status === 'faulted') {
      const row = this.#row
      await driver.transaction((session) => checkpoints.unfault(session, row))
    }
    this.#state = 'leading'
    this.#lastError = undefined
    this.#reload = true
    let pages: LogPages | undefined
    let ahead: { after: number; page: Promise<LogPage> } | undefined
    let settled = 0
    while (!signal.aborted) {
      if (this.#interrupt.signal.aborted) this.#interrupt = new AbortController()
      if (this.#reload) {
        ahead = undefined
        pages = undefined
        this.#reload = false
        this.#reading = true
        await this.#readAgain(epoch).finally(() => (this.#reading = false))
        this.#changed()
      }
      const row = this.#row
      if (row === undefined) throw this.#lost()
      if (row.status === 'paused' || row.status === 'faulted') {
        await this.#interrupted(signal)
        this.#reload = true
        continue
      }
      if (row.pendingStep !== undefined) {
        await this.#step(row, signal)
        continue
      }
      if (this.#retryRequested) {
        await this.#retry(row)
        continue
      }
      pages ??= new LogPages(
        query,
        log,
        this.key.tenantId === '' ? undefined : this.key.tenantId,
        this.#filter(),
        options.batchSize,
      )
      if (settled <= this.#position) {
        if (!(await this.#atEnd(row))) continue
        const timer = this.#position > row.lastPosition ? this.#wakeIn(PASSING_EVERY_MS) : undefined
        this.#waiting = true
        try {
          settled = await this.#run.tail.waitBeyond(this.#position, this.#interrupt.signal)
        } finally {
          this.#waiting = false
          clearTimeout(timer)
        }
        continue
      }
      const reading = ahead?.after === this.#position ? ahead.page : pages.next(this.#position, settled)
      const page = await reading.catch((error: unknown) => this.#unreadable(error))
      if (page === undefined) continue
      ahead = undefined
      if (page.upTo < settled) {
        // the next page is read while this one is handled
        const after = page.upTo
        ahead = { after, page: pages.next(after, settled) }
        ahead.page.catch(() => undefined)
      }
      await this.#handle(page, page.upTo < settled, signal)
    }
    await this.#writePosition().catch(() => undefined)
  }

  /** Whether to wait for more. */
  async #atEnd(row: Checkpoint): Promise<boolean> {
    if (row.status === 'rebuilding') {
      if (this.#position > row.lastPosition) await this.#writePosition()
      const now = this.#row
      // the end as it is now: the last look may be old
      const { settled } = await this.#run.dialect.settled.look()
      if (settled > this.#position) return true
      if (now !== undefined && !this.#reload) await this.#takeOver(now)
      if (this.#reload) return false
    }
    if (this.#position > row.lastPosition && performance.now() - this.#writtenAt >= PASSING_EVERY_MS) {
      await this.#writePosition()
    }
    return !this.#reload
  }

  async #handle(page: LogPage, isBehind: boolean, signal: AbortSignal): Promise<void> {
    const { shards } = this.projection
    const { shard } = this.key
    const events =
      shards === 1 ? page.events : page.events.filter((event) => shardOf(event, shards) === shard)
    const { checkpointEvery, checkpointEveryBehind } = this.#run.options
    const every = isBehind ? checkpointEveryBehind : checkpointEvery
    for (let from = 0; from < events.length && !this.#reload && !signal.aborted; from += every) {
      const piece = events.slice(from, from + every)
      const isLast = from + every >= events.length
      await this.#process(piece, isLast ? page.upTo : (piece.at(-1)?.position ?? page.upTo), signal)
    }
    if (events.length === 0) {
      this.#position = page.upTo
      if (performance.now() - this.#writtenAt >= PASSING_EVERY_MS) await this.#writePosition()
      this.#changed()
    }
  }

  /** Commits a piece; where a handler fails, its events one by one, so that only the culprit is dealt with. */
  async #process(events: readonly RecordedEvent[], upTo: number, signal: AbortSignal): Promise<void> {
    let rest = events
    while (rest.length > 0 && !this.#reload && !signal.aborted) {
      const failure = await this.#commit({ events: rest, upTo })
      const [first] = rest
      if (failure === undefined || first === undefined) return
      const single = rest.length === 1
      if (single || failure.index === 0) {
        await this.#decide(first, single ? upTo : first.position, failure, signal)
        rest = rest.slice(1)
        continue
      }
      // what stands before the culprit is committed without it; a batch does not tell which one it is, so it is halved
      const before = rest.slice(0, failure.index ?? Math.ceil(rest.length / 2))
      await this.#process(before, before.at(-1)?.position ?? upTo, signal)
      rest = rest.slice(before.length)
    }
  }

  async #decide(event: RecordedEvent, upTo: number, failure: Failure, signal: AbortSignal): Promise<void> {
    let instead: Piece['instead'] | undefined
    const again = async (): Promise<unknown> => {
      const next = await this.#commit({ events: [event], upTo })
      return next === undefined ? undefined : next.error
    }
    const outcome = await applyPolicy(this.projection.onError, failure.error, again, {
      signal,
      report: (error, action) => this.#report({ error, action, position: event.position }),
      over: () => this.#reload,
    })
    if (outcome.action === 'done') return
    if (outcome.action === 'stop')
      return this.#fault(outcome.error, ` at the event of position ${event.position} (${event.type})`)
    instead =
      outcome.action === 'skip' ? 'skip' : { message: messageOf(outcome.error), attempts: outcome.attempts }
    const failed = await this.#commit({ events: [event], upTo, instead })
    if (failed !== undefined)
      return this.#fault(failed.error, ` while it parked the event of position ${event.position}`)
    if (instead !== 'skip') this.#parkedStreams.add(`${event.tenantId}\0${event.streamId}`)
  }

  /** Gives what a handler has against the piece; throws what the database has. */
  async #commit(piece: Piece): Promise<Failure | undefined> {
    const row = this.#row
    if (row === undefined) throw this.#lost()
    const started = performance.now()
    try {
      this.#row = await commitPiece(
        {
          run: this.#run,
          projection: this.projection,
          parkedStreams: this.#parkedStreams,
          begun: (client) => this.#begun(client),
        },
        row,
        piece,
      )
    } catch (error) {
      if (error instanceof Fenced) {
        this.#reload = true
        return undefined
      }
      const failure = failureOf(error)
      // a deadlock, a lost connection: not the handler's fault, whoever's statement it was
      const { kind } = this.#run.driver.classify(failure.error)
      const passing = kind !== 'timeout' && mayPass(this.#run.driver, failure.error)
      this.#reload = passing
      if (passing) throw failure.error
      return failure
    }
    this.#position = this.#row.lastPosition
    this.#writtenAt = performance.now()
    this.#changed()
    tell(this.#run.options.onBatch, {
      ...this.#label(),
      events: this.#row.eventsProcessed - row.eventsProcessed,
      lastPosition: piece.upTo,
      durationMs: performance.now() - started,
    })
    return undefined
  }

  /** Writes how far the log has been passed over, where there was nothing to handle. */
  async #writePosition(): Promise<void> {
    const row = this.#row
    if (row === undefined || row.pendingStep !== undefined || this.#position <= row.lastPosition) return
    if (row.status !== 'running' && row.status !== 'rebuilding') return
    const { driver, checkpoints } = this.#run
    const to = { position: this.#position, event: undefined, applied: 0 }
    const kept = await driver.transaction((session) => checkpoints.advance(session, row, to))
    this.#writtenAt = performance.now()
    if (kept) this.#row = { ...row, lastPosition: this.#position }
    else this.#reload = true
  }

  async #takeOver(row: Checkpoint): Promise<void> {
    try {
      const { done, replaced } = await tryTakeOver(this.#run, this.projection, row)
      if (!done) return
      this.#reload = true
      if (replaced.length > 0) this.#run.tail.projectionsChanged()
      await dropTables(this.#run, this.projection, replaced).catch((error: unknown) => {
        this.#report({ error, action: 'skip' })
      })
    } catch (error) {
      this.#reload = true
      if (error instanceof Fenced) return
      if (mayPass(this.#run.driver, error)) throw error
      await this.#fault(error, ' while it took over')
    }
  }

  async #step(row: Checkpoint, signal: AbortSignal): Promise<void> {
    this.#reload = true
    if (row.shard !== 0) {
      // the first shard's runner does it for all
      await this.#interrupted(signal, 50)
      return
    }
    try {
      await runStep(this.#run, this.projection, row)
    } catch (error) {
      if (error instanceof Fenced) return
      if (mayPass(this.#run.driver, error)) throw error
      await this.#fault(error, row.pendingStep === 'reset' ? ' while it was emptied' : ' while it was set up')
    }
  }

  async #retry(row: Checkpoint): Promise<void> {
    this.#retryRequested = false
    const stale = await retryParked(this.#run, this.projection, row, {
      begun: (client) => this.#begun(client),
      report: (error, position) => this.#report({ error, action: 'park', position }),
    })
    if (stale) this.#reload = true
    this.#parkedStreams = await this.#run.parked.streams(this.#run.query, this.key)
    this.#changed()
  }

  async #readAgain(epoch: number): Promise<void> {
    const { checkpoints, query, parked } = this.#run
    const row = await checkpoints.read(query, this.key)
    if (row === undefined || row.epoch !== epoch) {
      this.#row = undefined
      await this.#superseded()
      throw this.#lost()
    }
    this.#row = row
    this.#position = row.lastPosition
    this.#parkedStreams = await parked.streams(query, this.key)
    if (this.#parkedStreams.size > 0) this.#retryRequested = true
    if ((row.status === 'running' || row.status === 'rebuilding') && row.pendingStep === undefined) {
      try {
        await checkIdentity(this.#run, row)
      } catch (error) {
        if (!isEventStoreError(error) || error.retryable) throw error
        await this.#fault(error, '')
        this.#reload = false
      }
    }
  }

  async #superseded(): Promise<void> {
    const { checkpoints, query } = this.#run
    const rows = await checkpoints.named(query, this.key.tenantId, this.key.name)
    if (rows.some((row) => row.version > this.key.version && row.inCharge)) throw new Superseded()
  }

  /** An event that cannot be decoded, a part of the log that was dropped: trying again does not help. */
  async #unreadable(error: unknown): Promise<undefined> {
    if (!isEventStoreError(error) || error.retryable) throw error
    await this.#fault(error, '')
  }

  async #fault(error: unknown, where: string): Promise<void> {
    const row = this.#row
    this.#lastError = error
    this.#report({ error, action: 'stop' })
    if (row === undefined) return
    const { driver, checkpoints } = this.#run
    await driver.transaction((session) =>
      checkpoints.fault(session, row, `${messageOf(error).replace(/\.$/, '')}${where}`),
    )
    this.#row = { ...row, status: 'faulted', errorMessage: messageOf(error) }
    this.#reload = true
    this.#changed()
  }

  #lost(): LeaseLostError {
    return new LeaseLostError(
      `Another process runs projection '${this.key.name}' by now. What was under way here was rolled back; it does that again.`,
    )
  }

  /** For whoever waits for it. */
  faultedError(row: Pick<Checkpoint, 'status' | 'errorMessage' | 'shards'>): ProjectionFaultedError {
    const reason = row.status === 'paused' ? 'it is paused' : (row.errorMessage ?? 'its handler failed')
    return new ProjectionFaultedError(keyLabel(this.key, row.shards), reason, this.#lastError)
  }

  async #begun(client: Client): Promise<void> {
    const name = this.#run.dialect.consume.connectionName?.(client)
    if (name === undefined || name === this.#connection) return
    await this.#nameConnection(name)
    this.#connection = name
  }

  #filter() {
    return resolveReadAll(this.projection.types === undefined ? {} : { types: this.projection.types })
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    const interrupt = this.#interrupt
    return setTimeout(() => interrupt.abort(), ms)
  }

  async #interrupted(signal: AbortSignal, ms = 1_000): Promise<void> {
    if (signal.aborted) return
    this.#waiting = true
    await sleep(ms, this.#interrupt.signal).catch(() => undefined)
    this.#waiting = false
  }

  #label() {
    const { tenantId, name, version, shard } = this.key
    return { projection: name, version, shard, ...(tenantId !== '' && { tenantId }) }
  }

  #report(what: Pick<ErrorReport, 'error' | 'action' | 'position'>): void {
    tell(this.#run.options.onError, { ...this.#label(), ...what })
  }
}

interface Failure {
  readonly error: unknown
  readonly index: number | undefined
}

function failureOf(error: unknown): Failure {
  if (error instanceof HandlerFailure) return { error: error.cause, index: error.index }
  return { error, index: undefined }
}

/** What an error says, as every database can keep it. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.slice(0, 2_000).toWellFormed().replaceAll('\0', '\ufffd')
}
