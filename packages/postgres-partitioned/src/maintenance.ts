import { isStoreClosedError } from '@varve/core'

/** Sees to the partitions now and then; does not keep the process alive. */
export class Maintenance {
  readonly #work: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #running = false
  #failure: string | undefined

  constructor(everyMs: number, work: () => Promise<unknown>) {
    this.#work = work
    if (everyMs > 0) {
      this.#timer = setInterval(() => void this.tick(), everyMs)
      this.#timer.unref()
    }
  }

  /** What the last run failed with. */
  get failure(): string | undefined {
    return this.#failure
  }

  async tick(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      await this.#work()
      this.#failure = undefined
    } catch (error) {
      // nobody awaits it: health() tells
      if (isStoreClosedError(error)) this.stop()
      else this.#failure = error instanceof Error ? error.message : String(error)
    } finally {
      this.#running = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
