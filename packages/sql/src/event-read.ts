import type { EventRead } from '@varve/core'
import type { ReadAccess } from './read-access.js'

/** What a read is made of; each call begins anew. */
export interface ReadSource<T> {
  /** The events, page by page, in the order of the read. */
  pages(access: ReadAccess): AsyncIterator<readonly T[]>
  first(access: ReadAccess): Promise<T | undefined>
  last(access: ReadAccess): Promise<T | undefined>
  count(access: ReadAccess): Promise<number>
}

/** A lazy read over pages. Its iterator hands out the events of a page without waiting for anything. */
export class PagedRead<T> implements EventRead<T> {
  readonly #source: ReadSource<T>
  readonly #access: ReadAccess

  constructor(source: ReadSource<T>, access: ReadAccess) {
    this.#source = source
    this.#access = access
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new PageIterator(this.#source.pages(this.#access))
  }

  toArray(): Promise<T[]> {
    return this.#access.whole(async (access) => {
      const all: T[] = []
      const pages = this.#source.pages(access)
      for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
        for (const item of page.value) all.push(item)
      }
      return all
    })
  }

  first(): Promise<T | undefined> {
    return this.#access.whole((access) => this.#source.first(access))
  }

  last(): Promise<T | undefined> {
    return this.#access.whole((access) => this.#source.last(access))
  }

  count(): Promise<number> {
    return this.#access.whole((access) => this.#source.count(access))
  }
}

/** Written by hand: an async generator would go through its own machinery for each event. */
class PageIterator<T> implements AsyncIterableIterator<T> {
  readonly #pages: AsyncIterator<readonly T[]>
  #page: readonly T[] = []
  #next = 0
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #done = false

  constructor(pages: AsyncIterator<readonly T[]>) {
    this.#pages = pages
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#waiting === 0 && this.#next < this.#page.length) {
      return Promise.resolve({ value: this.#page[this.#next++] as T, done: false })
    }
    // callers may ask for several at once: they are answered in the order in which they asked
    this.#waiting++
    const result = this.#turn
      .then(() => this.#fetch())
      .finally(() => {
        this.#waiting--
      })
    this.#turn = result.catch(() => undefined)
    return result
  }

  async return(): Promise<IteratorResult<T>> {
    this.#done = true
    this.#page = []
    this.#next = 0
    await this.#pages.return?.()
    return { value: undefined, done: true }
  }

  async #fetch(): Promise<IteratorResult<T>> {
    while (!this.#done) {
      if (this.#next < this.#page.length) return { value: this.#page[this.#next++] as T, done: false }
      const page = await this.#pages.next()
      if (page.done === true) this.#done = true
      else {
        this.#page = page.value
        this.#next = 0
      }
    }
    return { value: undefined, done: true }
  }
}

/** Rows of the next page: few at first, then many, and never more than about 8 MiB of data at once. */
export class PageSize {
  #size = 200

  next(rows: number, bytes: number): void {
    const fitting = rows === 0 ? 1_000 : Math.floor((8 * 1024 * 1024) / Math.max(1, bytes / rows))
    this.#size = Math.max(8, Math.min(1_000, fitting))
  }

  within(remaining: number): number {
    return Math.min(this.#size, remaining)
  }
}
