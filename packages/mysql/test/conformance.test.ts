import { conformance } from '@varve/core/conformance'
import { afterAll, describe, it } from 'vitest'
import { mysqlHarness } from './harness.js'

for (const family of ['mysql', 'mariadb'] as const) {
  const harness = await mysqlHarness(family)
  afterAll(() => harness.drop())
  conformance(harness, { describe, it })
}
