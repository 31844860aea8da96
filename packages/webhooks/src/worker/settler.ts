import { isEventStoreError, isStoreClosedError } from '@varve/core'
import type { WebhookAlarm } from '../options.js'
import { outageDelay } from './backoff.js'
import type { Outcome } from './outcome.js'
import { settle } from './settle.js'
import type { SettleContext, Settled } from './settle.js'
import { Wake } from './wake.js'

const AT_A_TIME = 500

export interface SettlerContext extends SettleContext {
  readonly alarm: (alarm: WebhookAlarm) => void
  /** Endpoints of which a success is worth telling. */
  readonly unsettled: ReadonlySet<string>
  readonly settled: (outcomes: readonly Outcome[], result: Settled) => void
  /** The outcomes that could not be written down until the worker gave up: their leases run out. */
  readonly dropped: (outcomes: readonly Outcome[]) => void
}

/** Writes outcomes down, those that came in while the last ones were being written together. */
export class Settler {
  readonly #context: SettlerContext
  #queue: Outcome[] = []
  #running: Promise<void> | undefined
  readonly #wake = new Wake()
  #giveUp = false

  constructor(context: SettlerContext) {
    this.#context = context
  }

  add(outcomes: readonly Outcome[]): void {
    this.#queue.push(...outcomes)
    this.#running ??= this.#run()
  }

  /** Waits until everything is written down; when the database does not answer, no longer than so many milliseconds. */
  async finish(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#giveUp = true
      this.#wake.now()
    }, patienceMs)
    while (this.#running !== undefined) await this.#running
    clearTimeout(timer)
  }

  async #run(): Promise<void> {
    // one turn of the loop: answers that came in together are written down together
    await new Promise(setImmediate)
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, AT_A_TIME)
      await this.#write(batch)
    }
    this.#running = undefined
  }

  async #write(batch: readonly Outcome[]): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        this.#context.settled(batch, await this.#settle(batch, true))
        return
      } catch (error) {
        if (isStoreClosedError(error) || this.#giveUp) {
          this.#context.dropped(batch)
          return
        }
        if (!this.#mayPass(error)) {
          await this.#withoutHistory(batch, error)
          return
        }
        if (failures === 1) this.#alarm('database', error)
        await this.#wake.wait(outageDelay(failures))
      }
    }
  }

  #settle(batch: readonly Outcome[], history: boolean): Promise<Settled> {
    return settle(this.#context, batch, this.#context.unsettled, history)
  }

  /** The database refuses what is to be recorded: what was sent counts all the same, or it would be sent again. */
  async #withoutHistory(batch: readonly Outcome[], error: unknown): Promise<void> {
    for (const outcome of batch) {
      try {
        if (batch.length > 1) {
          this.#context.settled([outcome], await this.#settle([outcome], true))
          continue
        }
      } catch {
        // this one it was
      }
      try {
        const result = await this.#settle([outcome], false)
        this.#alarm('history', error, outcome.job.endpointId)
        this.#context.settled([outcome], result)
      } catch (again) {
        this.#alarm('database', again, outcome.job.endpointId)
        this.#context.dropped([outcome])
      }
    }
  }

  #mayPass(error: unknown): boolean {
    if (isEventStoreError(error) && error.code === 'VARVE_TRANSACTION_CONFLICT') return true
    const cause = isEventStoreError(error) && error.cause !== undefined ? error.cause : error
    const { kind } = this.#context.database.access.driver.classify(cause)
    return kind === 'unreachable' || kind === 'lost' || kind === 'conflict' || kind === 'timeout'
  }

  #alarm(kind: 'database' | 'history', error: unknown, endpointId?: string): void {
    const code = isEventStoreError(error) ? error.code : error instanceof Error ? error.name : 'unknown'
    const message =
      kind === 'history'
        ? `An attempt counted, but could not be recorded (${code}).`
        : `What came of deliveries cannot be written down (${code}); the worker tries again until their leases run out.`
    this.#context.alarm({ kind, message, ...(endpointId !== undefined && { endpointId }) })
  }
}
