import { setImmediate, setTimeout } from 'node:timers/promises'
import { StoreUnavailableError } from '@varve/core'
import type { Blocker } from '@varve/core'

/** Another process commits within a millisecond or two: at first it is looked at again in the next turn of the event loop. */
const EAGER_LOOKS = 20
const MAX_PAUSE_MS = 5

/** The waiting of one call, for whatever is in its way, until its time is over. */
export class Wait {
  readonly #timeoutMs: number
  readonly #since = performance.now()
  #looks = 0

  /** @param timeoutMs 0 is for ever */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** 0 when there is no end to it. */
  get leftMs(): number {
    return this.#timeoutMs === 0 ? 0 : Math.max(1, this.#timeoutMs - (performance.now() - this.#since))
  }

  /** Lets others go on for a moment. @throws StoreUnavailableError when the time is over */
  async aWhile(inTheWay: Blocker, cause?: unknown): Promise<void> {
    if (this.#timeoutMs !== 0 && performance.now() - this.#since >= this.#timeoutMs)
      throw this.late(inTheWay, cause)
    const looks = this.#looks++
    const pause = Math.min(MAX_PAUSE_MS, looks - EAGER_LOOKS + 1)
    // give or take a half: processes that wait for the same lock must not knock together
    await (pause <= 0 ? setImmediate() : setTimeout(pause * (0.5 + Math.random())))
  }

  late(inTheWay: Blocker, cause?: unknown): StoreUnavailableError {
    return new StoreUnavailableError(
      `The database was not free for ${Math.round(performance.now() - this.#since)} ms (acquireTimeoutMs): ` +
        `${inTheWay.detail}. Nothing was stored.`,
      { blocker: inTheWay, cause },
    )
  }
}
