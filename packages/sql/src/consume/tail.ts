import { AsyncLocalStorage } from 'node:async_hooks'
import { isEventStoreError, StoreClosedError } from '@varve/core'
import type { Blocker } from '@varve/core'
import type { HintAbout, HintChannel, SettledSource, SettledState } from '../dialect.js'
import type { SqlDriver } from '../driver.js'
import { toStoreError } from '../failure.js'

/** When nothing happens, the log is looked at once in this time: by all who wait, together. */
const IDLE_MS = 1_000
/** After something has happened, the next look comes soon, and each further one twice as late. */
const SOON_MS = 10
/** While an append under way keeps readers waiting. */
const OPEN_MIN_MS = 1
const OPEN_MAX_MS = 50
/** Who is in the way is asked once it has taken this long. */
const NAME_BLOCKER_MS = 2_000

interface Waiter {
  readonly position: number
  readonly resolve: (settled: number) => void
  readonly reject: (error: unknown) => void
}

export interface TailContext {
  readonly settled: SettledSource
  readonly hints: HintChannel | undefined
  readonly driver: Pick<SqlDriver, 'classify'>
}

/**
 * The end of the log, watched once for all who follow it in this store. Woken by this process's own appends, by hints of
 * other processes, and by looking: soon after something happened, seldom when nothing does, not at all when nobody waits.
 */
export class Tail {
  readonly #context: TailContext
  // looks are made for everybody, not from inside whichever transaction the one who waits happens to be called from
  readonly #outside = AsyncLocalStorage.snapshot()
  readonly #waiters = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #again = false
  #delay = SOON_MS
  #failures = 0
  #last: SettledState = { settled: 0, high: 0 }
  #openSince: number | undefined
  #blocker: Blocker | undefined
  #closed = false
  readonly #listeners = new Set<() => void>()

  constructor(context: TailContext) {
    this.#context = context
  }

  /** Who keeps the readers waiting, and for how long already; undefined when nobody does, or nobody reads. */
  get blocker(): Blocker | undefined {
    return this.#openSince === undefined ? undefined : this.#blocker
  }

  /** Runs what goes on by itself outside of whatever the caller is in the middle of. */
  outside<T>(work: () => T): T {
    return this.#outside(work)
  }

  /** Something was appended by this process: wakes its readers, and other processes'. */
  appended(): void {
    this.#context.hints?.send('log')
    this.poke()
  }

  /** Something was done to a projection: wakes the runners, here and in other processes. */
  projectionsChanged(): void {
    this.#context.hints?.send('projections')
    for (const listener of this.#listeners) listener()
  }

  /** Calls the listener when something was done to a projection, until what is returned is called. */
  onProjectionsChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#listen()
    return () => this.#listeners.delete(listener)
  }

  /** Looks at once, if anybody waits. */
  poke(): void {
    if (this.#waiters.size === 0 || this.#closed) return
    this.#delay = SOON_MS
    if (this.#looking) this.#again = true
    else this.#schedule(0)
  }

  /**
   * Waits until the log is settled beyond a position; gives the settled position, or as far as it is known when the signal
   * aborts. Outlives lost connections.
   *
   * @throws StoreClosedError when the store is closed, and what no waiting mends.
   */
  waitBeyond(position: number, signal?: AbortSignal): Promise<number> {
    if (this.#closed) return Promise.reject(new StoreClosedError())
    if (signal?.aborted === true) return Promise.resolve(this.#last.settled)
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        if (this.#waiters.size === 0) this.#rest()
      }
      const abort = (): void => {
        end()
        resolve(this.#last.settled)
      }
      const waiter: Waiter = {
        position,
        resolve: (settled) => {
          end()
          resolve(settled)
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
      this.#begin()
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const waiter of this.#waiters) waiter.reject(new StoreClosedError())
  }

  #listen(): void {
    const hint = (about: HintAbout): void => {
      if (about === 'log') this.poke()
      else for (const listener of this.#listeners) listener()
    }
    this.#outside(() => this.#context.hints?.listen(hint))
  }

  #begin(): void {
    this.#listen()
    // whoever comes to wait has just read all there was: nobody has looked since
    if (this.#waiters.size === 1 || this.#timer === undefined) this.#schedule(0)
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(ms: number): void {
    if (this.#closed || this.#looking) return
    clearTimeout(this.#timer)
    this.#timer = this.#outside(setTimeout, () => void this.#look(), ms)
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    this.#looking = true
    this.#again = false
    try {
      const state = await this.#context.settled.look()
      this.#failures = 0
      this.#take(state)
      await this.#nameBlocker()
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#looking = false
    }
    if (this.#waiters.size > 0) this.#schedule(this.#again ? 0 : this.#nextDelay())
  }

  #take(state: SettledState): void {
    // by the highest position too: a log that was restored from a backup is a shorter one
    if (state.settled !== this.#last.settled || state.high !== this.#last.high) this.#delay = SOON_MS
    if (state.settled !== this.#last.settled || state.settled >= state.high) {
      this.#openSince = undefined
      this.#blocker = undefined
    }
    if (state.settled < state.high) this.#openSince ??= performance.now()
    this.#last = state
    for (const waiter of this.#waiters) if (state.settled > waiter.position) waiter.resolve(state.settled)
  }

  async #nameBlocker(): Promise<void> {
    if (this.#openSince === undefined || performance.now() - this.#openSince < NAME_BLOCKER_MS) return
    if (this.#blocker !== undefined) return
    const { blocker } = await this.#context.settled.beyond(this.#last.settled, 0)
    this.#blocker = blocker
  }

  #nextDelay(): number {
    if (this.#failures > 0) return Math.min(IDLE_MS, SOON_MS * 2 ** this.#failures)
    if (this.#openSince !== undefined) {
      const waited = performance.now() - this.#openSince
      return Math.max(OPEN_MIN_MS, Math.min(OPEN_MAX_MS, waited / 10))
    }
    const delay = this.#delay
    this.#delay = Math.min(IDLE_MS, delay * 2)
    return delay
  }

  #fail(error: unknown): void {
    this.#failures = Math.min(10, this.#failures + 1)
    if (mayPass(this.#context.driver, error)) return
    const reason = isEventStoreError(error) ? error : toStoreError(this.#context.driver, error)
    for (const waiter of this.#waiters) waiter.reject(reason)
  }
}

/** Whether an error of the database may go away by itself: it is away, or another one was in the way. */
export function mayPass(driver: Pick<SqlDriver, 'classify'>, error: unknown): boolean {
  const code = isEventStoreError(error) ? error.code : undefined
  if (code === 'VARVE_TRANSACTION_CONFLICT') return true
  const cause =
    code === 'VARVE_UNAVAILABLE' && (error as Error).cause !== undefined ? (error as Error).cause : error
  const { kind } = driver.classify(cause)
  return kind === 'unreachable' || kind === 'lost' || kind === 'conflict' || kind === 'timeout'
}
