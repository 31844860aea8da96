import type { AppendResult, PreparedWrite } from '@varve/core'
import { fits, streamKey } from './append-group.js'
import type { AppendGroup } from './append-group.js'

/** A call of `append` or `appendMany` that waits for its turn or is under way. */
export interface QueuedAppend {
  readonly writes: readonly PreparedWrite[]
  readonly queuedAt: number
  readonly resolve: (results: AppendResult[]) => void
  readonly reject: (error: unknown) => void
}

export interface AppendQueueOptions {
  /** Flushes under way at once. */
  readonly flushes: number
  /** Whether several appends may share a transaction. */
  readonly coalesce: boolean
  /** Calls of `appendMany` under way at once; each has a transaction of its own. */
  readonly atomics: number
  /**
   * Stores the groups; settles every append of them and never rejects. Calls `free` with the groups that are settled when
   * the next flush may go out while it deals with the others.
   */
  readonly flush: (
    groups: readonly AppendGroup[],
    free: (settled: readonly AppendGroup[]) => void,
  ) => Promise<void>
  /** Stores one `appendMany`; settles it and never rejects. */
  readonly atomic: (append: QueuedAppend) => Promise<void>
}

const MAX_EVENTS = 500
const MAX_BYTES = 4 * 1024 * 1024
/** A flush of fewer appends costs more than it gains to run beside another one. */
const MIN_SHARE = 24
const SLOW_MS = 20
const MAX_SLOW = 4

/** A flush's place among those that may be under way. */
interface Slot {
  readonly begun: number
  readonly free: () => void
}

/** What a flush holds so far. */
interface Taken {
  /** So many appends to further streams; what merges with a stream that is taken comes on top, as it could not go elsewhere. */
  readonly share: number
  appends: number
  events: number
  bytes: number
}

/**
 * Coalesces the appends of one process into flushes. A lone append goes out at once; what is called while flushes are under
 * way waits for the next one. Appends to one stream apply in the order of the calls: a stream is under way once at a time.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions
  #waiting: QueuedAppend[] = []
  readonly #busy = new Set<string>()
  /** Flushes that hold a slot, and those that gave it back because they are slow. */
  #flushing = 0
  #underWay = 0
  readonly #slots = new Set<Slot>()
  #watching = false
  #atomics = 0
  #scheduled = false

  constructor(options: AppendQueueOptions) {
    this.#options = options
  }

  append(writes: readonly PreparedWrite[]): Promise<AppendResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, queuedAt: performance.now(), resolve, reject })
      this.#schedule()
    })
  }

  /** Rejects what has waited since before `time`: it waited for a database that has been given up meanwhile. */
  rejectQueuedBefore(time: number, error: (append: QueuedAppend) => unknown): void {
    const given = this.#waiting.filter((append) => append.queuedAt < time)
    this.#waiting = this.#waiting.filter((append) => append.queuedAt >= time)
    for (const append of given) append.reject(error(append))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // beside a running flush, callers that were just answered get to call again before the next one is cut
    if (this.#flushing === 0) queueMicrotask(this.#pump)
    else setImmediate(this.#pump)
  }

  readonly #pump = (): void => {
    this.#scheduled = false
    // those who were answered together call again together: in one flush, they and the database would take turns at working
    const free = Math.max(1, this.#options.flushes - this.#flushing)
    const share = Math.max(MIN_SHARE, Math.ceil(this.#waiting.length / free))
    let groups = this.#take(share)
    while (groups.length > 0) {
      this.#start(groups)
      groups = this.#take(share)
    }
  }

  #start(groups: readonly AppendGroup[]): void {
    this.#flushing++
    this.#underWay++
    const slot: Slot = {
      begun: performance.now(),
      free: () => {
        if (!this.#slots.delete(slot)) return
        this.#flushing--
        this.#schedule()
      },
    }
    this.#slots.add(slot)
    this.#watch()
    const settled = new Set<AppendGroup>()
    const done = (some: readonly AppendGroup[]): void => {
      for (const group of some) settled.add(group)
      this.#release(some.map((group) => group.key))
      slot.free()
    }
    void this.#options.flush(groups, done).finally(() => {
      this.#underWay--
      done(groups.filter((group) => !settled.has(group)))
    })
  }

  /** A flush that waits for somebody's lock must not keep other streams waiting. One timer looks at all of them. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    setTimeout(() => {
      this.#watching = false
      const before = performance.now() - SLOW_MS
      for (const slot of this.#slots) {
        if (slot.begun <= before && this.#underWay < this.#options.flushes * MAX_SLOW) slot.free()
      }
      if (this.#slots.size > 0) this.#watch()
    }, SLOW_MS).unref()
  }

  #startAtomic(append: QueuedAppend, keys: readonly string[]): void {
    this.#atomics++
    for (const key of keys) this.#busy.add(key)
    void this.#options.atomic(append).finally(() => {
      this.#atomics--
      this.#release(keys)
    })
  }

  #release(keys: readonly string[]): void {
    for (const key of keys) this.#busy.delete(key)
    this.#schedule()
  }

  /**
   * Takes what can go out together: streams that are not under way, and what merges with it, in the order of the calls.
   * What must wait holds back later calls to the same streams.
   */
  #take(share: number): AppendGroup[] {
    const groups = new Map<string, AppendGroup>()
    const held = new Set<string>()
    const left: QueuedAppend[] = []
    const taken: Taken = { share, appends: 0, events: 0, bytes: 0 }
    for (const append of this.#waiting) {
      const keys = append.writes.map(streamKey)
      const blocked = keys.some((key) => this.#busy.has(key) || held.has(key))
      if (!blocked && this.#takes(append, keys, groups, taken)) continue
      for (const key of keys) held.add(key)
      left.push(append)
    }
    this.#waiting = left
    for (const key of groups.keys()) this.#busy.add(key)
    return [...groups.values()]
  }

  #takes(
    append: QueuedAppend,
    keys: readonly string[],
    groups: Map<string, AppendGroup>,
    taken: Taken,
  ): boolean {
    const [write] = append.writes
    const { coalesce } = this.#options
    if (!coalesce || append.writes.length > 1 || write === undefined || write.events.length === 0) {
      if (this.#atomics >= this.#options.atomics || keys.some((key) => groups.has(key))) return false
      this.#startAtomic(append, keys)
      return true
    }
    if (this.#flushing >= this.#options.flushes) return false
    const full = taken.events + write.events.length > MAX_EVENTS || taken.bytes + write.bytes > MAX_BYTES
    if (taken.events > 0 && full) return false
    const key = streamKey(write)
    const group = groups.get(key)
    if (group === undefined) {
      if (taken.appends >= taken.share) return false
      groups.set(key, { key, appends: [append], events: [...write.events] })
    } else {
      if (!fits(group, write)) return false
      group.appends.push(append)
      group.events.push(...write.events)
    }
    taken.appends++
    taken.events += write.events.length
    taken.bytes += write.bytes
    return true
  }
}
