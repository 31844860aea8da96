import type { SettledSource, SettledState, SqlDriver } from '@varve/sql'
import { decode } from './decode.js'
import type { Names } from './names.js'

/** How often other processes' appends are looked for. This process' own are noticed at once. */
const LOOK_EVERY_MS = 25

/** Who appends keeps all others from it until the commit, so positions become visible in their order: what can be seen is settled. */
export class SettledPositions implements SettledSource {
  readonly #driver: Pick<SqlDriver, 'query'>
  readonly #text: string
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(driver: Pick<SqlDriver, 'query'>, names: Names) {
    this.#driver = driver
    this.#text = `select max(position) from ${names.quoted('events')}`
  }

  async look(): Promise<SettledState> {
    const [row] = await this.#driver.query(this.#text)
    const high = row === undefined || row[0] === null ? 0 : decode.number(row[0])
    return { settled: high, high }
  }

  async beyond(position: number, timeoutMs: number, signal?: AbortSignal): Promise<SettledState> {
    const begun = performance.now()
    for (;;) {
      const state = await this.look()
      const leftMs = timeoutMs - (performance.now() - begun)
      if (state.settled > position || leftMs <= 0 || this.#closed || signal?.aborted === true) return state
      await this.#wait(Math.min(leftMs, LOOK_EVERY_MS), signal)
    }
  }

  /** Something was appended here. */
  readonly appended = (): void => {
    for (const wake of this.#waiting) wake()
  }

  close(): void {
    this.#closed = true
    this.appended()
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
    })
  }
}
