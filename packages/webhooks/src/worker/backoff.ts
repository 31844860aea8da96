const FIRST_MS = 100
const LONGEST_MS = 5_000

/** How long to leave a database alone that does not answer: longer each time, up to five seconds, and never the same. */
export function outageDelay(failures: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10)) * (0.75 + 0.5 * random())
}
