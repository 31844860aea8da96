/**
 * What the writer believes of a stream when it appends:
 * - a number: the stream is at exactly this version (`0`: it does not exist);
 * - `'any'`: no belief; appends with `'any'` never conflict with each other;
 * - `'no-stream'`: the same as `0`;
 * - `'stream-exists'`: at least one event is there.
 */
export type ExpectedVersion = number | 'any' | 'no-stream' | 'stream-exists'

/** Whether a stream at `actual` (0 = it does not exist) satisfies `expected`. */
export function satisfies(expected: ExpectedVersion, actual: number): boolean {
  if (expected === 'any') return true
  if (expected === 'no-stream') return actual === 0
  if (expected === 'stream-exists') return actual > 0
  return expected === actual
}
