import { conformanceTopics, fieldFaults } from '@varve/core/conformance'
import { firstFailure } from '@varve/test-servers'
import { describe, expect, test } from 'vitest'
import { fileHarness } from './harness.js'
import { aggregateFaults } from './sabotage/aggregates.js'
import { appendFaults } from './sabotage/appends.js'
import { dataFaults } from './sabotage/data.js'
import { eventFaults } from './sabotage/events.js'
import { expectationFaults } from './sabotage/expectations.js'
import { filterFaults } from './sabotage/filters.js'
import { limitFaults } from './sabotage/limits.js'
import { operationFaults } from './sabotage/operations.js'
import { readFaults } from './sabotage/reads.js'
import { repetitionFaults } from './sabotage/repetitions.js'

import { guardedBy, skipFaults } from './sabotage/skips.js'
import { snapshotFaults } from './sabotage/snapshots.js'
import { stallFaults } from './sabotage/stalls.js'
import { streamFaults } from './sabotage/streams.js'
import { tenantFaults } from './sabotage/tenants.js'
import { transactionFaults } from './sabotage/transactions.js'
import { turnsRedFor } from './sabotage/turns-red.js'
import { sabotaged } from './sabotage/wrap.js'

// on a file, since some cases need a second store beside the first
const harness = fileHarness({})

const faults = [
  ...expectationFaults,
  ...appendFaults,
  ...repetitionFaults,
  ...eventFaults,
  ...dataFaults,
  ...limitFaults,
  ...readFaults,
  ...filterFaults,
  ...streamFaults,
  ...tenantFaults,
  ...transactionFaults,
  ...operationFaults,
  ...snapshotFaults,
  ...aggregateFaults,
  ...skipFaults,
  ...stallFaults,
]

describe('the suite is green for', () => {
  test('the store as it is, wrapped', { timeout: 120_000 }, async () => {
    expect(await firstFailure(sabotaged(harness, { name: 'none', caughtBy: '' }))).toBeUndefined()
  })

  test(
    'a store that gives positions before the commit, with an honest guard',
    { timeout: 60_000 },
    async () => {
      expect(
        await firstFailure(sabotaged(harness, guardedBy('honest', {})), { only: 'skips' }),
      ).toBeUndefined()
    },
  )
})

turnsRedFor(faults)

describe('a known gap', () => {
  const withGaps = (knownGaps: Record<string, string>) =>
    firstFailure({ ...harness, knownGaps }, { only: 'statistics' })

  test('that has healed is an error', async () => {
    const failure = await withGaps({ 'statistics/health-is-ok': 'said to be missing' })
    expect(failure?.id).toContain('statistics/health-is-ok')
    expect(String(failure?.error)).toContain('remove it from knownGaps')
  })

  test('is expected to fail', async () => {
    const fault = {
      name: 'no health',
      caughtBy: 'statistics',
      breaks: () => ({ health: () => Promise.reject(new Error('none')) }),
    }
    const gapped = { ...harness, knownGaps: { 'statistics/health-is-ok': 'there is no health' } }
    expect(await firstFailure(sabotaged(gapped, fault), { only: 'statistics' })).toBeUndefined()
  })

  test('needs the id of a case, and a reason', async () => {
    await expect(withGaps({ 'statistics/misspelt': 'a reason' })).rejects.toThrow('no such case')
    await expect(withGaps({ 'statistics/health-is-ok': ' ' })).rejects.toThrow('no reason')
  })
})

test('the list of field faults names cases that exist', () => {
  const cases = conformanceTopics.flatMap((topic) => topic.cases)
  for (const fault of fieldFaults) expect(cases).toEqual(expect.arrayContaining([...fault.cases]))
})
