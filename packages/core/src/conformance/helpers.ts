import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ErrorCode, EventStoreError } from '../errors.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import type { EventStore } from '../event-store.js'
import type { JsonValue } from '../json.js'

export const same: <T>(actual: unknown, expected: T, message?: string) => asserts actual is T =
  assert.deepStrictEqual

/** An event for cases that do not care what happened. */
export function event(type = 'tested', data: JsonValue = {}, more: Partial<NewEvent> = {}): NewEvent {
  return { type, data, ...more }
}

/** `count` events with ids of their own, numbered in their data. */
export function events(count: number, type = 'tested'): (NewEvent & { id: string })[] {
  return Array.from({ length: count }, (_, index) => ({
    type,
    data: { number: index + 1 },
    id: randomUUID(),
  }))
}

const retryable: ReadonlySet<ErrorCode> = new Set([
  'VARVE_UNAVAILABLE',
  'VARVE_TRANSACTION_CONFLICT',
  'VARVE_LEASE_LOST',
])

/** Asserts that `attempt` fails with an error of this code and these properties; resolves to the error. */
export async function refused(
  attempt: Promise<unknown> | (() => unknown),
  code: ErrorCode | readonly ErrorCode[],
  properties: Readonly<Record<string, unknown>> = {},
): Promise<EventStoreError & Readonly<Record<string, unknown>>> {
  const codes = typeof code === 'string' ? [code] : code
  const outcome = await settled(typeof attempt === 'function' ? (async () => attempt())() : attempt)
  if (outcome.status === 'fulfilled') {
    return assert.fail(`expected ${codes.join(' or ')}, but it resolved to ${JSON.stringify(outcome.value)}`)
  }
  const error = outcome.reason as EventStoreError & Readonly<Record<string, unknown>>
  assert.ok(error instanceof Error, `expected an Error, got ${String(error)}`)
  if (!codes.includes(error.code)) {
    assert.fail(`expected ${codes.join(' or ')}, got ${error.code ?? error.name}: ${error.message}`)
  }
  assert.equal(error.retryable, retryable.has(error.code), `retryable of ${error.code}`)
  for (const [name, value] of Object.entries(properties)) same(error[name], value, `${error.code}.${name}`)
  return error
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome
}

/** The promise's value, or a failure when it takes longer. For what must not hang. */
export async function within<T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A call that is looked at later: failing before that, or in a case that has failed, it is no unhandled rejection. */
export function started<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined)
  return call
}

/** Whether the promise has settled within a moment: what another transaction may or may not hold back, per engine. */
export async function goesThrough(promise: Promise<unknown>, milliseconds = 150): Promise<boolean> {
  const quiet = promise.then(
    () => true,
    () => true,
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([quiet, late])
  } finally {
    clearTimeout(timer)
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export const idsOf = <Id extends string | undefined>(
  list: readonly { readonly id?: Id }[],
): (Id | undefined)[] => list.map(({ id }) => id)
export const versionsOf = (list: readonly RecordedEvent[]): number[] => list.map(({ version }) => version)
export const positionsOf = (list: readonly RecordedEvent[]): number[] => list.map(({ position }) => position)

/** 1, 2, 3 … count */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

export function ascending(numbers: readonly number[], what = 'positions'): void {
  for (const [index, number] of numbers.entries()) {
    assert.ok(Number.isSafeInteger(number) && number > 0, `${what}: ${number}`)
    const previous = numbers[index - 1]
    assert.ok(
      previous === undefined || previous < number,
      `${what} are not increasing: ${numbers.join(', ')}`,
    )
  }
}

/** The item at `index`, which the case knows to be there. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list.at(index)
  assert.ok(item !== undefined, `there is no item ${index} of ${list.length}`)
  return item
}

export async function streamIds(
  store: Pick<EventStore, 'listStreams'>,
  options?: Parameters<EventStore['listStreams']>[0],
): Promise<string[]> {
  return (await collect(store.listStreams(options))).map(({ streamId }) => streamId)
}

/** Asserts that the stream holds just these events, in this order, with versions from 1 on. */
export async function holds(
  store: Pick<EventStore, 'readStream'>,
  streamId: string,
  expected: readonly { id?: string }[],
): Promise<void> {
  const stored = await store.readStream(streamId).toArray()
  same(idsOf(stored), idsOf(expected), `events of ${streamId}`)
  same(versionsOf(stored), upTo(expected.length), `versions of ${streamId}`)
}

/** Asserts that the event is refused at that path, and with it the good one in front of it. */
export async function refusedAt(store: EventStore, bad: NewEvent, path: RegExp): Promise<void> {
  const error = await refused(store.append('refused', [event(), bad]), 'VARVE_INVALID_EVENT')
  if (!path.test(String(error['path'])))
    assert.fail(`path is ${String(error['path'])}, expected ${path.source}`)
  same(await store.getStream('refused'), undefined)
}

/** Takes steps until the condition holds, each in a turn of the event loop of its own, so that a time limit can end it. */
export async function until(condition: () => Promise<boolean>, step: () => Promise<unknown>): Promise<void> {
  while (!(await condition())) {
    await step()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
