import { conformance } from '@varve/core/conformance'
import type { ConformanceHarness } from '@varve/core/conformance'

// slow, and not needed to see any of the faults; outages need a server
const left = new Set(['properties', 'outages', 'feed-outages'])

export interface Failure {
  readonly id: string
  readonly topic: string
  readonly error: unknown
}

/** Runs the suite until its first failure: the topic `first` before the others, or the topic `only` and nothing else. */
export async function firstFailure(
  harness: ConformanceHarness,
  { first, only, caseTimeoutMs }: { first?: string; only?: string; caseTimeoutMs?: number } = {},
): Promise<Failure | undefined> {
  const cases: { id: string; topic: string; run: () => Promise<void> }[] = []
  const collect = {
    describe: (_: string, body: () => void) => body(),
    it: (id: string, run: () => Promise<void>) => cases.push({ id, topic: id.replace(/\/.*/, ''), run }),
  }
  conformance(harness, collect, caseTimeoutMs === undefined ? {} : { caseTimeoutMs })
  const chosen = cases.filter(({ topic }) => (only === undefined ? !left.has(topic) : topic === only))
  const ordered = [
    ...chosen.filter(({ topic }) => topic === first),
    ...chosen.filter(({ topic }) => topic !== first),
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
