/** The database's clock, from what it last said and how long that was ago. The machine's own may be minutes off. */
export class DatabaseClock {
  #offset: number | undefined

  set(now: Date): void {
    this.#offset = now.getTime() - performance.now()
  }

  get now(): number {
    return this.#offset === undefined ? Date.now() : Math.floor(this.#offset + performance.now())
  }
}
