import type { Filled } from './filled.js'
import { resolveFilter } from './event-filter.js'
import type {
  Direction,
  EventFilter,
  ListStreamsOptions,
  ReadAllOptions,
  ReadStreamOptions,
  TransactionOptions,
  VerifyOptions,
} from './event-store.js'
import {
  copyOptions,
  flag,
  requiredName,
  namesOf,
  oneOf,
  optionalFunction,
  optionalNames,
  optionalSignal,
  present,
  wholeNumber,
} from './option-values.js'

// "no end" and "no limit" are the greatest safe integer: a number like any other, to compare with and to subtract from
const NO_END = Number.MAX_SAFE_INTEGER
const directions: readonly Direction[] = ['forwards', 'backwards']

/** The names of a filter's options. */
export const filterNames = {
  types: true,
  streamTypes: true,
  streamIds: true,
  tags: true,
  correlationId: true,
  causationId: true,
  createdBy: true,
  recordedFrom: true,
  recordedTo: true,
  metadata: true,
} satisfies Record<keyof EventFilter, true>

const readAllNames = namesOf<ReadAllOptions>({
  ...filterNames,
  after: true,
  until: true,
  direction: true,
  limit: true,
  settled: true,
  waitForSettledMs: true,
})

/** `until` and `limit` are `Number.MAX_SAFE_INTEGER` when not given; filters that were not given are absent. */
export type ResolvedReadAll = EventFilter & Filled<Omit<ReadAllOptions, keyof EventFilter>>

/** Checks, copies and completes the options of `readAll`. @throws InvalidArgumentError */
export function resolveReadAll(options?: ReadAllOptions): ResolvedReadAll {
  const given = copyOptions<ReadAllOptions>(options, readAllNames)
  return Object.freeze({
    ...resolveFilter(given),
    after: wholeNumber(given.after, 'after', 0),
    until: wholeNumber(given.until, 'until', NO_END),
    direction: oneOf(given.direction, 'direction', directions, 'forwards'),
    limit: wholeNumber(given.limit, 'limit', NO_END),
    settled: flag(given.settled, 'settled', true),
    waitForSettledMs: wholeNumber(given.waitForSettledMs, 'waitForSettledMs', 5_000),
  })
}

const readStreamNames = namesOf<ReadStreamOptions>({
  fromVersion: true,
  toVersion: true,
  direction: true,
  limit: true,
})

/** `toVersion` and `limit` are `Number.MAX_SAFE_INTEGER` when not given. */
export type ResolvedReadStream = Filled<ReadStreamOptions>

/** Checks and completes the options of `readStream`. @throws InvalidArgumentError */
export function resolveReadStream(options?: ReadStreamOptions): ResolvedReadStream {
  const given = copyOptions<ReadStreamOptions>(options, readStreamNames)
  return Object.freeze({
    fromVersion: Math.max(1, wholeNumber(given.fromVersion, 'fromVersion', 1)),
    toVersion: wholeNumber(given.toVersion, 'toVersion', NO_END),
    direction: oneOf(given.direction, 'direction', directions, 'forwards'),
    limit: wholeNumber(given.limit, 'limit', NO_END),
  })
}

const listStreamsNames = namesOf<ListStreamsOptions>({
  streamTypes: true,
  prefix: true,
  includeArchived: true,
  after: true,
  limit: true,
})

/** `limit` is `Number.MAX_SAFE_INTEGER` when not given, `prefix` and `after` (which every id is behind) are `''`. */
export type ResolvedListStreams = Pick<ListStreamsOptions, 'streamTypes'> &
  Filled<Omit<ListStreamsOptions, 'streamTypes'>>

/** Checks, copies and completes the options of `listStreams`. @throws InvalidArgumentError */
export function resolveListStreams(options?: ListStreamsOptions): ResolvedListStreams {
  const given = copyOptions<ListStreamsOptions>(options, listStreamsNames)
  return Object.freeze({
    ...present({ streamTypes: optionalNames(given.streamTypes, 'streamTypes') }),
    prefix: nameOrEmpty(given.prefix, 'prefix'),
    includeArchived: flag(given.includeArchived, 'includeArchived', false),
    after: nameOrEmpty(given.after, 'after'),
    limit: wholeNumber(given.limit, 'limit', NO_END),
  })
}

const verifyNames = namesOf<VerifyOptions>({ after: true, until: true, onProgress: true, signal: true })

/** `until` is `Number.MAX_SAFE_INTEGER` when not given. */
export type ResolvedVerify = VerifyOptions & { readonly after: number; readonly until: number }

/** Checks and completes the options of `verify`. @throws InvalidArgumentError */
export function resolveVerify(options?: VerifyOptions): ResolvedVerify {
  const given = copyOptions<VerifyOptions>(options, verifyNames)
  return Object.freeze({
    ...present({
      onProgress: optionalFunction(given.onProgress, 'onProgress') as VerifyOptions['onProgress'],
      signal: optionalSignal(given.signal, 'signal'),
    }),
    after: wholeNumber(given.after, 'after', 0),
    until: wholeNumber(given.until, 'until', NO_END),
  })
}

const transactionNames = namesOf<TransactionOptions>({ retries: true })

/** Checks and completes the options of `transaction`. @throws InvalidArgumentError */
export function resolveTransaction(options?: TransactionOptions): Filled<TransactionOptions> {
  const given = copyOptions<TransactionOptions>(options, transactionNames)
  return Object.freeze({ retries: wholeNumber(given.retries, 'retries', 0) })
}

function nameOrEmpty(value: unknown, argument: string): string {
  return value === undefined || value === '' ? '' : requiredName(value, argument)
}
