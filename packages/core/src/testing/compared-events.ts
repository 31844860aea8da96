import type { NewEvent } from '../event.js'

/**
 * The decided events, with just those properties that the expectation is about: type and data, and what else it names. An
 * event too many is shown with its type and data.
 */
export function comparable(
  actual: readonly NewEvent[],
  expected: readonly object[],
): { actual: unknown[]; expected: unknown[] } {
  return {
    actual: actual.map((event, index) =>
      picked(event, ['type', 'data', ...Object.keys(expected[index] ?? {})]),
    ),
    expected: expected.map((event) => picked(event as NewEvent, ['type', 'data', ...Object.keys(event)])),
  }
}

function picked(event: NewEvent, names: readonly string[]): Record<string, unknown> {
  const all: Readonly<Record<string, unknown>> = { ...event }
  return Object.fromEntries([...new Set(names)].map((name) => [name, all[name]]))
}

/** Whether `then` was called by an `await` that forgot it, which is told so: it would wait for ever. */
export function isAwaited(expected: unknown, reject: unknown): boolean {
  if (typeof expected !== 'function' || expected.prototype !== undefined || typeof reject !== 'function')
    return false
  const forgotten =
    'a scenario was awaited before it said what it expects: end it with .then(events or an error)'
  ;(reject as (error: Error) => void)(new TypeError(forgotten))
  return true
}
