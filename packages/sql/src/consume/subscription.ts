import { InvalidArgumentError, resolveReadAll, sleep, StoreClosedError } from '@varve/core'
import type { RecordedEvent, ResolvedSubscribe, Subscription } from '@varve/core'
import type { Lifecycle } from '../lifecycle.js'
import type { Query } from '../read-access.js'
import type { LogReader } from '../read-all.js'
import type { SettledSource } from '../dialect.js'
import type { SqlDriver } from '../driver.js'
import { LogPages } from './pages.js'
import { mayPass } from './tail.js'
import type { Tail } from './tail.js'

export interface SubscriptionContext {
  readonly tail: Tail
  readonly log: LogReader
  readonly settled: SettledSource
  readonly lifecycle: Lifecycle
  readonly driver: Pick<SqlDriver, 'classify' | 'query'>
}

const MAX_BACKOFF_MS = 1_000

/** Follows the log; nothing is asked of the database but by a `next` that finds the page used up. */
export class LogSubscription implements Subscription {
  readonly #context: SubscriptionContext
  readonly #options: ResolvedSubscribe
  readonly #pages: LogPages
  #position: number | undefined
  #starting: Promise<number> | undefined
  #page: readonly RecordedEvent[] = []
  #next = 0
  /** Where the log was read to when the page was. */
  #upTo = 0
  #iterating = false

  constructor(context: SubscriptionContext, tenantId: string | undefined, options: ResolvedSubscribe) {
    const { after, batchSize, signal: _, ...filter } = options
    this.#context = context
    this.#options = options
    // not repeated by itself: that is done here, and ends when the iteration does
    const query: Query = (...statement) =>
      context.lifecycle.run('subscribe', () => context.driver.query(...statement))
    this.#pages = new LogPages(query, context.log, tenantId, resolveReadAll(filter), batchSize)
    if (after !== 'end') this.#position = after
    // what is appended from now on counts, however late the first event is asked for
    else this.ready().catch(() => undefined)
  }

  get position(): number | undefined {
    return this.#position
  }

  ready(): Promise<number> {
    if (this.#position !== undefined) return Promise.resolve(this.#position)
    this.#starting ??= this.#end().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedEvent, undefined> {
    if (this.#iterating) {
      throw new InvalidArgumentError(
        'subscription',
        'it is being iterated already; subscribe once more for another reader',
      )
    }
    this.#iterating = true
    let turn: Promise<unknown> = Promise.resolve()
    let done = false
    // a `next` that waits for an event ends with the iteration
    const ending = new AbortController()
    const given = this.#options.signal
    const signal = given === undefined ? ending.signal : AbortSignal.any([given, ending.signal])
    const finish = (): { value: undefined; done: true } => {
      if (!done) this.#iterating = false
      done = true
      ending.abort()
      this.#page = []
      this.#next = 0
      return { value: undefined, done: true }
    }
    const step = async (): Promise<IteratorResult<RecordedEvent, undefined>> => {
      if (signal.aborted) return finish()
      try {
        if (this.#next >= this.#page.length) await this.#fill(signal)
      } catch (error) {
        finish()
        throw error
      }
      const event = this.#page[this.#next]
      if (done || event === undefined) return finish()
      this.#next++
      this.#position = this.#next === this.#page.length ? this.#upTo : event.position
      return { value: event, done: false }
    }
    return {
      next: () => {
        // callers may ask for several at once
        const result = turn.then(step)
        turn = result.catch(() => undefined)
        return result
      },
      return: async () => finish(),
    }
  }

  /** Reads until there is an event; leaves the page empty when the iteration is over. */
  async #fill(signal: AbortSignal): Promise<void> {
    const over = (): boolean => signal.aborted
    await this.#outliving(signal, async () => {
      let position = await this.ready()
      let settled = position
      while (!over()) {
        if (settled <= position) {
          settled = await this.#context.tail.waitBeyond(position, signal)
          if (settled <= position || over()) return
        }
        const { events, upTo } = await this.#pages.next(position, settled)
        if (over()) return
        if (events.length > 0) {
          this.#page = events
          this.#next = 0
          this.#upTo = upTo
          return
        }
        position = upTo
        this.#position = upTo
      }
    })
  }

  async #end(): Promise<number> {
    let found = 0
    const { lifecycle, settled } = this.#context
    await this.#outliving(this.#options.signal, async () => {
      found = (await lifecycle.run('subscribe', () => settled.look())).settled
    })
    this.#position = found
    return found
  }

  /** Runs it until it succeeds; the database may be away for as long as it likes. */
  async #outliving(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    const over = (): boolean => signal?.aborted === true
    for (let attempt = 0; ; attempt++) {
      if (this.#context.lifecycle.isClosing) throw new StoreClosedError()
      try {
        return await work()
      } catch (error) {
        if (over()) return
        if (!mayPass(this.#context.driver, error)) throw error
        await sleep(Math.min(MAX_BACKOFF_MS, 20 * 2 ** Math.min(attempt, 6)), signal).catch(() => undefined)
        if (over()) return
      }
    }
  }
}
