/**
 * Sizes of lists and of groups of rows for which there are statements: few enough to be prepared on every connection, and
 * near enough to each other that a flush takes two inserts at most for each 64 events.
 */
const sizes: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]
const larger: readonly number[] = [96, 128, 192, 256, 384, 512]

/** The most rows of one insert. */
export const MAX_ROWS = 64
/** The most keys that are looked up at a time. */
export const MAX_KEYS = 512

/** The largest group of rows that fits into so many. */
export function fitting(rows: number): number {
  return sizes.findLast((size) => size <= rows) ?? 1
}

/** The list, its last value repeated up to one of the sizes: in a list of values to compare with that changes nothing. */
export function padded<T>(values: readonly T[]): T[] {
  const size = sizes.find((each) => each >= values.length) ?? larger.find((each) => each >= values.length)
  const length = size ?? Math.ceil(values.length / MAX_KEYS) * MAX_KEYS
  return Array.from({ length }, (_, index) => values[Math.min(index, values.length - 1)] as T)
}
