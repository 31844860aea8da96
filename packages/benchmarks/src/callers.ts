import type { Run } from './duel.ts'

/** Each caller calls again as soon as it was answered, until the time is up. */
export async function runCallers(
  callers: number,
  durationMs: number,
  call: (caller: number) => Promise<unknown>,
): Promise<Run> {
  const latencies: number[] = []
  const begun = performance.now()
  const caller = async (_: unknown, number: number) => {
    for (let at = performance.now(); at - begun < durationMs; at = performance.now()) {
      await call(number)
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { operations: latencies.length, elapsedMs: performance.now() - begun, latencies }
}

/** Something that is done once, `operations` things at a time. */
export async function runOnce(operations: number, work: () => Promise<unknown>): Promise<Run> {
  const begun = performance.now()
  await work()
  const elapsedMs = performance.now() - begun
  return { operations, elapsedMs, latencies: [elapsedMs] }
}
