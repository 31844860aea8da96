import { firstFailure } from '@varve/test-servers'
import { describe, expect, test } from 'vitest'
import { fileHarness } from '../harness.js'
import { sabotaged } from './wrap.js'
import type { Fault } from './wrap.js'

/** Each of the faults has to be noticed by its topic. */
export function turnsRedFor(faults: readonly Fault[]): void {
  describe('the suite turns red for a store that', () => {
    test.for(faults)('$name', { timeout: 60_000 }, async (fault, { annotate }) => {
      // on a file, since some cases need a second store beside the first
      const failure = await firstFailure(sabotaged(fileHarness({}, fault.rewrites), fault), {
        first: fault.caughtBy,
        caseTimeoutMs: 3_000,
      })
      await annotate(`caught by ${failure?.id ?? 'nobody'}`)
      expect(failure).toMatchObject({ topic: fault.caughtBy })
    })
  })
}
