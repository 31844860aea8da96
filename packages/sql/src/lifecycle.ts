import { AsyncLocalStorage } from 'node:async_hooks'
import { InvalidArgumentError, StoreClosedError } from '@varve/core'
import type { SqlDriver } from './driver.js'
import { retrying, toStoreError } from './failure.js'
import type { Retrying } from './failure.js'
import type { Query, ReadAccess } from './read-access.js'

/** The part of a driver that knows nothing of its client. */
type Plain = Pick<SqlDriver, 'query' | 'enter' | 'classify' | 'close'>

/** Keeps count of what is under way, so that closing can wait for it, and refuses what comes after. */
export class Lifecycle {
  readonly #driver: Plain
  readonly #options: Retrying['options']
  readonly #closers: (() => void | Promise<void>)[] = []
  #underWay = 0
  #closing: Promise<void> | undefined
  #wake: (() => void) | undefined
  readonly #transaction = new AsyncLocalStorage<{ open: boolean }>()

  constructor(driver: Plain, options: Retrying['options']) {
    this.#driver = driver
    this.#options = options
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** @throws StoreClosedError, or what the driver has against a call from here. */
  check(operation: string): void {
    if (this.#closing !== undefined) throw new StoreClosedError()
    this.#driver.enter(operation)
  }

  /** Runs one call of the store; the database's errors come out as the store's. */
  async run<T>(operation: string, work: () => Promise<T>): Promise<T> {
    // every append comes by here: one promise, not one for each of the two ways to run
    try {
      this.check(operation)
      this.#underWay++
      try {
        return await work()
      } finally {
        if (--this.#underWay === 0) this.#wake?.()
      }
    } catch (error) {
      throw toStoreError(this.#driver, error)
    }
  }

  /** Runs one call of the store whose errors may be the caller's own. */
  async runUntranslated<T>(operation: string, work: () => Promise<T>): Promise<T> {
    this.check(operation)
    this.#underWay++
    try {
      return await work()
    } finally {
      if (--this.#underWay === 0) this.#wake?.()
    }
  }

  /** Runs the work of a transaction, from inside of which the store cannot be closed. */
  async inTransaction<T>(work: () => Promise<T>): Promise<T> {
    const scope = { open: true }
    try {
      return await this.#transaction.run(scope, work)
    } finally {
      scope.open = false
    }
  }

  /** A statement that may be repeated, and is when its connection turns out to be broken. */
  readonly query: Query = (text, params, map) =>
    this.run('query', () => this.#admitted.query(text, params, map))

  /** For reads: each statement is a call of its own, unless they are run as a whole. */
  readonly access: ReadAccess = {
    query: this.query,
    run: (work) => this.run('read', () => this.#admitted.run(work)),
    whole: (work) => this.run('read', () => work(this.#admitted)),
  }

  readonly #admitted: ReadAccess = {
    query: (text, params, map) => this.#repeatedly(() => this.#driver.query(text, params, map)),
    run: (work) => this.#repeatedly(work),
    whole: (work) => work(this.#admitted),
  }

  #repeatedly<T>(work: () => Promise<T>): Promise<T> {
    return retrying({ driver: this.#driver, options: this.#options }, work)
  }

  /** Called as soon as the store is being closed: to end what only waits. Closing waits for what it promises. */
  onClosing(end: () => void | Promise<void>): void {
    this.#closers.push(end)
  }

  /** @throws InvalidArgumentError for a call from inside a transaction of the store: it would wait for itself. */
  close(): Promise<void> {
    if (this.#transaction.getStore()?.open === true) {
      throw new InvalidArgumentError(
        'close',
        'this call comes from inside a transaction of the store, for whose end it would have to wait; close the store afterwards',
      )
    }
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#closers.map(async (end) => end()))
    while (this.#underWay > 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    await this.#driver.close()
  }
}
