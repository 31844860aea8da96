import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { isStoreUnavailableError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import type { EventFilter, EventReader } from '../event-store.js'
import { ascending, idsOf, positionsOf, same } from './helpers.js'

/** Reads the log again and again from the last event that it saw, as a consumer would. */
export class Follower {
  readonly seen: RecordedEvent[] = []
  readonly #reader: EventReader
  readonly #filter: EventFilter & { limit?: number }

  constructor(reader: EventReader, filter: EventFilter & { limit?: number } = {}) {
    this.#reader = reader
    this.#filter = filter
  }

  /** One look. An append that is under way below what is committed may end it early, but loudly. */
  async poll(waitForSettledMs = 10): Promise<void> {
    const after = this.seen.at(-1)?.position ?? 0
    try {
      for await (const event of this.#reader.readAll({ ...this.#filter, after, waitForSettledMs }))
        this.seen.push(event)
    } catch (error) {
      if (!isStoreUnavailableError(error)) throw error
    }
    // stores that answer without leaving the event loop's turn must not starve the writers
    await setImmediate()
  }

  /** Polls until the condition holds. */
  async pollUntil(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000
    for (;;) {
      // asked before the poll, so that what was there when it came true has been read as well
      const last = condition()
      await this.poll()
      if (last) return
      assert.ok(Date.now() < deadline, 'the condition did not come true within 10 s')
    }
  }

  /** Everything that is committed was seen exactly once, in the order of positions. */
  async sawAll(): Promise<void> {
    await this.poll(5_000)
    ascending(positionsOf(this.seen))
    const { limit: _, ...filter } = this.#filter
    const all = await this.#reader.readAll(filter).toArray()
    if (this.#filter.limit !== undefined) while (this.seen.length < all.length) await this.#grow()
    same(idsOf(this.seen), idsOf(all), 'what the follower saw')
  }

  async #grow(): Promise<void> {
    const before = this.seen.length
    await this.poll(5_000)
    assert.ok(this.seen.length > before, 'the follower stands still')
  }
}
