import {
  isEventStoreError,
  isLeaseLostError,
  ProjectionFaultedError,
  resolveReadAll,
  sleep,
} from '@varve/core'
import type { Projection } from '@varve/core'
import { apply } from './apply.js'
import type { Checkpoint } from './checkpoint.js'
import { keyLabel } from './key.js'
import type { ProjectionKey } from './key.js'
import { LedCheckpoint, PASSING_EVERY_MS } from './led-checkpoint.js'
import type { LeadHooks } from './led-checkpoint.js'
import { LogPages } from './pages.js'
import type { LogPage } from './pages.js'
import { retryParked } from './parked-retry.js'
import { Fenced, HandlerFailure, isPassing } from './piece.js'
import type { RunContext } from './run-context.js'
import { shardOf } from './shard.js'
import { prepare, runStep, Superseded } from './start.js'
import { dropTables, tryTakeOver } from './take-over.js'
import { mayPass } from './tail.js'

const MAX_BACKOFF_MS = 5_000

/** Stands still for good: a newer version has taken over. */
export type TaskState = 'standby' | 'leading' | 'superseded'

/** One shard of one projection, as long as this process has its lease. */
export class Task<Client> {
  readonly key: ProjectionKey
  readonly projection: Projection<Client>
  readonly #run: RunContext<Client>
  readonly #led: LedCheckpoint<Client>
  #state: TaskState = 'standby'
  #interrupt = new AbortController()
  #reading = false
  #waiting = false

  constructor(run: RunContext<Client>, projection: Projection<Client>, key: ProjectionKey, hooks: LeadHooks) {
    this.#run = run
    this.projection = projection
    this.key = key
    this.#led = new LedCheckpoint(run, projection, key, hooks)
  }

  get state(): TaskState {
    return this.#state
  }

  /** What keeps it from being led here, or made it stand still. */
  get lastError(): unknown {
    return this.#led.lastError
  }

  /** The checkpoint, as this process has left it; undefined while another one leads. */
  get row(): Checkpoint | undefined {
    return this.#state === 'leading' ? this.#led.row : undefined
  }

  get position(): number {
    return this.#led.position
  }

  /** Whether parked events are to be handled again, or the checkpoint to be read again. */
  get isBusy(): boolean {
    const { isStale, retryRequested, standsStill } = this.#led
    return isStale || this.#reading || (retryRequested && !standsStill)
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
    const led = this.#led
    const { row } = led
    // one that is at work finds out by itself, when it commits
    if (this.#state !== 'leading' || row === undefined || !this.#waiting) return
    if (retryRequested) led.retryRequested = true
    const other =
      seen?.status !== row.status ||
      seen.pendingStep !== row.pendingStep ||
      seen.lastPosition !== row.lastPosition
    if (other) led.isStale = true
    if (other || retryRequested) this.#interrupt.abort()
  }

  /** Runs the projection until the signal aborts or the lease is gone. Never throws. */
  async lead(epoch: number, signal: AbortSignal): Promise<void> {
    const led = this.#led
    const stop = (): void => this.#interrupt.abort()
    signal.addEventListener('abort', stop)
    try {
      for (let failures = 0; !signal.aborted; failures++) {
        const before = led.row?.eventsProcessed
        try {
          await this.#work(epoch, signal)
          return
        } catch (error) {
          if (signal.aborted) return
          if (error instanceof Superseded) {
            this.#state = 'superseded'
            return
          }
          led.report({ error, action: 'restart' })
          if (isLeaseLostError(error)) return
          led.lastError = error
          if (led.row?.eventsProcessed !== before) failures = 0
          await sleep(Math.min(MAX_BACKOFF_MS, 20 * 2 ** Math.min(failures, 8)), signal).catch(
            () => undefined,
          )
        }
      }
    } finally {
      signal.removeEventListener('abort', stop)
      if (this.#state === 'leading') this.#state = 'standby'
      led.forget()
    }
  }

  /** Until it is stopped; throws what the database has against it. */
  async #work(epoch: number, signal: AbortSignal): Promise<void> {
    const led = this.#led
    const { driver, checkpoints } = this.#run
    led.row = await prepare(this.#run, this.projection, this.key, epoch, signal)
    if (led.row === undefined) return
    // the one who takes a projection over tries it once more: the cause may be gone with the old process
    if (led.row.status === 'faulted') {
      const { row } = led
      await driver.transaction((session) => checkpoints.unfault(session, row))
    }
    this.#state = 'leading'
    led.lastError = undefined
    led.isStale = true
    let pages: LogPages | undefined
    let ahead: { after: number; page: Promise<LogPage> } | undefined
    let settled = 0
    while (!signal.aborted) {
      if (this.#interrupt.signal.aborted) this.#interrupt = new AbortController()
      if (led.isStale) {
        ahead = undefined
        pages = undefined
        await this.#readAgain(epoch)
      }
      const row = led.current
      if (led.standsStill) {
        await this.#interrupted(signal)
        led.isStale = true
        continue
      }
      if (row.pendingStep !== undefined) {
        await this.#step(row, signal)
        continue
      }
      if (led.retryRequested) {
        await this.#retry(row, signal)
        continue
      }
      if (settled <= led.position) {
        if (await this.#atEnd(row)) settled = await this.#more()
        continue
      }
      pages ??= this.#pages()
      const reading = ahead?.after === led.position ? ahead.page : pages.next(led.position, settled)
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
    await led.writePosition().catch(() => undefined)
  }

  async #readAgain(epoch: number): Promise<void> {
    this.#led.isStale = false
    this.#reading = true
    await this.#led.read(epoch).finally(() => (this.#reading = false))
    this.#led.changed()
  }

  #pages(): LogPages {
    const { query, log, options } = this.#run
    const { tenantId } = this.key
    const { types } = this.projection
    const filter = resolveReadAll(types === undefined ? {} : { types })
    return new LogPages(query, log, tenantId === '' ? undefined : tenantId, filter, options.batchSize)
  }

  /** Whether to wait for more. */
  async #atEnd(row: Checkpoint): Promise<boolean> {
    const led = this.#led
    if (row.status === 'rebuilding') {
      if (led.isPassing) await led.writePosition()
      const now = led.row
      // the end as it is now: the last look may be old
      const { settled } = await this.#run.dialect.settled.look()
      if (settled > led.position) return true
      if (now !== undefined && !led.isStale) await this.#takeOver(now)
      if (led.isStale) return false
    }
    if (led.isPassingDue) await led.writePosition()
    return !led.isStale
  }

  /** Waits for events beyond its position. */
  async #more(): Promise<number> {
    const led = this.#led
    const interrupt = this.#interrupt
    const timer = led.isPassing ? setTimeout(() => interrupt.abort(), PASSING_EVERY_MS) : undefined
    this.#waiting = true
    try {
      return await this.#run.tail.waitBeyond(led.position, interrupt.signal)
    } finally {
      this.#waiting = false
      clearTimeout(timer)
    }
  }

  async #handle(page: LogPage, isBehind: boolean, signal: AbortSignal): Promise<void> {
    const led = this.#led
    const { shards } = this.projection
    const { shard } = this.key
    const events =
      shards === 1 ? page.events : page.events.filter((event) => shardOf(event, shards) === shard)
    const { checkpointEvery, checkpointEveryBehind } = this.#run.options
    const every = isBehind ? checkpointEveryBehind : checkpointEvery
    for (let from = 0; from < events.length && !led.isStale && !signal.aborted; from += every) {
      const piece = events.slice(from, from + every)
      const isLast = from + every >= events.length
      await apply(led, piece, isLast ? page.upTo : (piece.at(-1)?.position ?? page.upTo), signal)
    }
    if (events.length === 0) {
      led.position = page.upTo
      if (led.isPassingDue) await led.writePosition()
      led.changed()
    }
  }

  async #takeOver(row: Checkpoint): Promise<void> {
    const led = this.#led
    try {
      const { done, replaced } = await tryTakeOver(this.#run, this.projection, row)
      if (!done) return
      led.isStale = true
      if (replaced.length > 0) this.#run.tail.projectionsChanged()
      await dropTables(this.#run, this.projection, replaced).catch((error: unknown) => {
        led.report({ error, action: 'skip' })
      })
    } catch (error) {
      led.isStale = true
      if (error instanceof Fenced) return
      if (mayPass(this.#run.driver, error)) throw error
      await led.fault(error, ' while it took over')
    }
  }

  async #step(row: Checkpoint, signal: AbortSignal): Promise<void> {
    this.#led.isStale = true
    if (row.shard !== 0) {
      // the first shard's runner does it for all
      await this.#interrupted(signal, 50)
      return
    }
    try {
      await runStep(this.#run, this.projection, row)
    } catch (error) {
      if (error instanceof Fenced) return
      const cause = error instanceof HandlerFailure ? error.cause : error
      if (isPassing(this.#run.driver, error)) throw cause
      await this.#led.fault(
        cause,
        row.pendingStep === 'reset' ? ' while it was emptied' : ' while it was set up',
      )
    }
  }

  async #retry(row: Checkpoint, signal: AbortSignal): Promise<void> {
    const led = this.#led
    led.retryRequested = false
    const stale = await retryParked(this.#run, this.projection, row, {
      signal,
      begun: (client) => led.begun(client),
      report: (error, position) => led.report({ error, action: 'park', position }),
    })
    if (stale) led.isStale = true
    led.parkedStreams = await this.#run.parked.streams(this.#run.query, this.key)
    led.changed()
  }

  /** An event that cannot be decoded, a part of the log that was dropped: trying again does not help. */
  async #unreadable(error: unknown): Promise<undefined> {
    if (!isEventStoreError(error) || error.retryable) throw error
    await this.#led.fault(error, '')
  }

  /** For whoever waits for it. */
  faultedError(row: Pick<Checkpoint, 'status' | 'errorMessage' | 'shards'>): ProjectionFaultedError {
    const reason = row.status === 'paused' ? 'it is paused' : (row.errorMessage ?? 'its handler failed')
    return new ProjectionFaultedError(keyLabel(this.key, row.shards), reason, this.lastError)
  }

  async #interrupted(signal: AbortSignal, ms = 1_000): Promise<void> {
    if (signal.aborted) return
    this.#waiting = true
    await sleep(ms, this.#interrupt.signal).catch(() => undefined)
    this.#waiting = false
  }
}
