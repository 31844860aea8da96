/** Ends a wait early. What comes while nobody waits ends the next one at once. */
export class Wake {
  #pending = false
  #resume: (() => void) | undefined

  readonly now = (): void => {
    this.#pending = true
    this.#resume?.()
  }

  /** Waits for a call of `now`, or so long. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#resume = resolve
        timer = setTimeout(resolve, ms)
      })
      clearTimeout(timer)
      this.#resume = undefined
    }
    this.#pending = false
  }
}
