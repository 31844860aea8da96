import { conformance } from '@varve/core/conformance'
import type { ConformanceHarness } from '@varve/core/conformance'

// slow, and not needed to see any of the faults
const left = new Set(['properties', 'outages'])

export interface Failure {
  readonly id: string
  readonly topic: string
  readonly error: unknown
}

/** Runs the suite until its first failure; `topic` comes first, so that a fault is found without waiting for the rest. */
export async function firstFailure(
  harness: ConformanceHarness,
  topic?: string,
): Promise<Failure | undefined> {
  const cases: { id: string; topic: string; run: () => Promise<void> }[] = []
  const collect = {
    describe: (_: string, body: () => void) => body(),
    it: (id: string, run: () => Promise<void>) => cases.push({ id, topic: id.replace(/\/.*/, ''), run }),
  }
  conformance(harness, collect, { caseTimeoutMs: 6_000 })
  const chosen = cases.filter((one) => !left.has(one.topic))
  const ordered = [
    ...chosen.filter((one) => one.topic === topic),
    ...chosen.filter((one) => one.topic !== topic),
  ]
  for (const { run, ...one } of ordered) {
    try {
      await run()
    } catch (error) {
      return { ...one, error }
    }
  }
  return undefined
}
