interface Waiting {
  readonly begin: () => void
  readonly timer: NodeJS.Timeout | undefined
}

/** Who may write next on the one connection: first come, first served. */
export class Turns {
  #taken = false
  readonly #waiting = new Set<Waiting>()

  /** Takes the turn if nobody has it. */
  takeNow(): boolean {
    if (this.#taken) return false
    this.#taken = true
    return true
  }

  /**
   * Takes the turn when all who asked before have given it back.
   *
   * @param timeoutMs how long to wait, 0 is for ever; then rejects with what `late` gives
   */
  async take(timeoutMs: number, late?: () => Error): Promise<void> {
    if (this.takeNow()) return
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(waiting)
        reject(late?.() ?? new Error('no turn in time'))
      }
      const timer = timeoutMs === 0 ? undefined : setTimeout(giveUp, timeoutMs)
      const waiting: Waiting = { begin: resolve, timer }
      this.#waiting.add(waiting)
    })
  }

  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken = false
      return
    }
    // it stays taken: the turn goes straight to the next one
    this.#waiting.delete(next)
    clearTimeout(next.timer)
    next.begin()
  }
}
