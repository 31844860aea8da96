import type { PoolConnection } from 'mysql2'
import { destroy } from './run.js'

/** Ends connections that nobody has used for a while, but for a few that are kept. */
export class IdleConnections {
  readonly #timeoutMs: number
  readonly #min: number
  /** All there are; with the time since when it lies unused, or undefined for one in use. */
  readonly #since = new Map<PoolConnection, number | undefined>()
  #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs 0: they are kept for ever */
  constructor(timeoutMs: number, min: number) {
    this.#timeoutMs = timeoutMs
    this.#min = min
  }

  add(connection: PoolConnection): void {
    this.#since.set(connection, undefined)
    const gone = (): void => void this.#since.delete(connection)
    connection.once('end', gone)
    connection.once('error', gone)
  }

  taken(connection: PoolConnection): void {
    if (this.#since.has(connection)) this.#since.set(connection, undefined)
  }

  released(connection: PoolConnection): void {
    if (!this.#since.has(connection)) return
    // the end of the map is what was used last
    this.#since.delete(connection)
    this.#since.set(connection, performance.now())
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  destroyAll(): void {
    for (const connection of this.#since.keys()) destroy(connection)
    this.#since.clear()
  }

  #schedule(): void {
    if (this.#timeoutMs === 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sweep()
    }, this.#timeoutMs)
    this.#timer.unref()
  }

  #sweep(): void {
    const now = performance.now()
    let idle = 0
    for (const [connection, since] of this.#since) {
      if (since === undefined) continue
      if (this.#since.size > this.#min && now - since >= this.#timeoutMs - 1) {
        this.#since.delete(connection)
        connection.destroy()
      } else idle += 1
    }
    if (idle > 0 && this.#since.size > this.#min) this.#schedule()
  }
}
