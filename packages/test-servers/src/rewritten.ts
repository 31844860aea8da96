import type { ConformanceHarness } from '@varve/core/conformance'
import { expect, test } from 'vitest'
import { firstFailure } from './first-failure.ts'

/** A part of what the server is sent, broken on purpose; and the topic of the suite that has to notice. */
export type RewriteFault = readonly [name: string, caughtBy: string, part: RegExp, instead: string]

export type Rewrite = (text: string) => string

/** Each fault has to come up, and to be noticed, in a database of its own. */
export function rewritesTurnRed<Client>(
  faults: readonly RewriteFault[],
  open: (rewrite: Rewrite) => Promise<ConformanceHarness<Client> & { drop(): Promise<void> }>,
): void {
  test.for(faults)(
    'the suite turns red for a store that %s',
    { timeout: 120_000 },
    async ([, caughtBy, part, instead], { annotate }) => {
      let hits = 0
      const harness = await open((text) => {
        const changed = text.replace(part, instead)
        if (changed !== text) hits++
        return changed
      })
      try {
        const failure = await firstFailure(harness, { only: caughtBy, caseTimeoutMs: 10_000 })
        await annotate(`caught by ${failure?.id ?? 'nobody'}`)
        expect(hits).toBeGreaterThan(0)
        expect(failure).toMatchObject({ topic: caughtBy })
      } finally {
        await harness.drop()
      }
    },
  )
}
