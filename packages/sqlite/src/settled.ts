import type { SettledSource, SettledState } from '@varve/sql'
import type { Connection } from './connection.js'
import { decode } from './decode.js'
import type { SqliteDriver } from './driver.js'
import type { Names } from './names.js'

/** How often other processes' appends are looked for. This process' own are noticed at once. */
const LOOK_EVERY_MS = 25

/** One transaction writes at a time, so positions become visible in their order: what can be seen is settled. */
export class SettledPositions implements SettledSource {
  readonly #driver: SqliteDriver
  readonly #connection: Connection
  readonly #text: string
  readonly #waiting = new Set<() => void>()
  #stopListening: (() => void) | undefined
  #closed = false

  constructor(driver: SqliteDriver, connection: Connection, names: Names) {
    this.#driver = driver
    this.#connection = connection
    this.#text = `select max(position) from ${names.quoted('events')}`
  }

  async look(): Promise<SettledState> {
    const [row] = await this.#driver.query(this.#text)
    const high = row?.[0] === null ? 0 : decode.number(row?.[0])
    return { settled: high, high }
  }

  async beyond(position: number, timeoutMs: number, signal?: AbortSignal): Promise<SettledState> {
    const begun = performance.now()
    for (;;) {
      const state = await this.look()
      const leftMs = timeoutMs - (performance.now() - begun)
      if (state.settled > position || leftMs <= 0 || signal?.aborted === true) return state
      await this.#wait(Math.min(leftMs, LOOK_EVERY_MS), signal)
      if (this.#closed) return state
    }
  }

  close(): void {
    this.#closed = true
    this.#wakeAll()
  }

  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      signal?.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
      this.#stopListening ??= this.#connection.onCommit(() => this.#wakeAll())
    })
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake()
    this.#stopListening?.()
    this.#stopListening = undefined
  }
}
