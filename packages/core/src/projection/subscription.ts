import type { RecordedEvent } from '../event.js'
import { resolveFilter } from '../event-filter.js'
import type { EventFilter } from '../event-store.js'
import { filterNames } from '../options.js'
import { copyOptions, namesOf, optionalSignal, present, wholeNumber } from '../option-values.js'

export interface SubscribeOptions extends EventFilter {
  /** A position, exclusive, 0 when absent; or `'end'`: only what is appended from now on. */
  after?: number | 'end'
  /** Ends the iteration, quietly, as soon as it aborts. */
  signal?: AbortSignal
  /** At most so many events are read at a time, and held in memory; 500 when absent. */
  batchSize?: number
}

/**
 * The log as it grows. Iterating gives the events of the filter in the order of positions, first what is there, then what
 * is appended; nothing is asked of the database while a page is being worked through. Lost connections are outlived
 * without losing or repeating an event. Iterated again after a `break`, it goes on behind the last event given.
 */
export interface Subscription extends AsyncIterable<RecordedEvent> {
  /**
   * Everything of the filter up to here has been given: the point to resume from. It moves on, too, where the filter finds
   * nothing. `undefined` until it is known where `after: 'end'` is.
   */
  readonly position: number | undefined
  /** Waits until it is known where the subscription begins: what is appended afterwards is given. */
  ready(): Promise<number>
}

const subscribeNames = namesOf<SubscribeOptions>({
  ...filterNames,
  after: true,
  signal: true,
  batchSize: true,
})

/** `after` is `'end'` or a number. */
export type ResolvedSubscribe = Omit<SubscribeOptions, 'after' | 'batchSize'> & {
  readonly after: number | 'end'
  readonly batchSize: number
}

/** Checks, copies and completes the options of `subscribe`. @throws InvalidArgumentError */
export function resolveSubscribe(options?: SubscribeOptions): ResolvedSubscribe {
  const given = copyOptions<SubscribeOptions>(options, subscribeNames)
  return Object.freeze({
    ...resolveFilter(given),
    ...present({ signal: optionalSignal(given.signal, 'signal') }),
    after: given.after === 'end' ? given.after : wholeNumber(given.after, 'after', 0),
    batchSize: wholeNumber(given.batchSize, 'batchSize', 500, { min: 1, max: 10_000 }),
  })
}
