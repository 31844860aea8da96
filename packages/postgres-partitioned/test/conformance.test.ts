import { conformance } from '@varve/core/conformance'
import { afterAll, describe, it } from 'vitest'
import { postgresHarness } from '../../postgres/test/harness.js'
import { createPartitionedPostgresEventStore } from '../src/index.js'

// ids that the caller brings are appended in a transaction, whose last message is this
const harness = await postgresHarness('postgres-partitioned', createPartitionedPostgresEventStore, 'commit\0')
afterAll(() => harness.drop())

conformance(harness, { describe, it })
