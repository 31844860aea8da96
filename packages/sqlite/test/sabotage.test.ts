import { conformanceTopics } from '@varve/core/conformance'
import { describe, expect, test } from 'vitest'
import { fileHarness } from './harness.js'
import { dataFaults } from './sabotage-data.js'
import { readFaults } from './sabotage-reads.js'
import { otherFaults } from './sabotage-rest.js'
import { firstFailure } from './sabotage-runner.js'
import { sabotaged } from './sabotage-wrap.js'
import { writeFaults } from './sabotage-writes.js'

const harness = fileHarness({})
const faults = [...writeFaults, ...dataFaults, ...readFaults, ...otherFaults]

describe('the suite is green for the store as it is', () => {
  test('all of it, by the runner that is used below', { timeout: 60_000 }, async () => {
    expect(await firstFailure(harness)).toBeUndefined()
  })

  test('wrapped, but without a fault', { timeout: 60_000 }, async () => {
    expect(await firstFailure(sabotaged(harness, { name: 'none', caughtBy: '' }))).toBeUndefined()
  })
})

describe('the suite turns red for a store that', () => {
  test.for(faults)('$name', { timeout: 30_000 }, async (fault, { annotate }) => {
    expect(conformanceTopics.map(({ topic }) => topic)).toContain(fault.caughtBy)
    const failure = await firstFailure(sabotaged(harness, fault), fault.caughtBy)
    await annotate(`caught by ${failure?.id ?? 'nobody'}`)
    expect(failure?.topic, String(failure?.error ?? 'nothing turned red')).toBe(fault.caughtBy)
  })
})
