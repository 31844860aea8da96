import { conformance } from '@varve/core/conformance'
import { afterAll, describe, it } from 'vitest'
import { postgresHarness } from './harness.js'

const harness = await postgresHarness('postgres')
afterAll(() => harness.drop())

conformance(harness, { describe, it })
