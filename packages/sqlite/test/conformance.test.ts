import { conformance, conformanceTopics } from '@varve/core/conformance'
import { describe, it } from 'vitest'
import { fileHarness, memoryHarness } from './harness.js'

const outages = conformanceTopics
  .filter(({ topic }) => topic.endsWith('outages'))
  .flatMap(({ cases }) => cases)
const noServer = Object.fromEntries(outages.map((id) => [id, 'there is no server that could go away']))

const waits =
  'all stores share one connection, on which a call from elsewhere waits for the end of the transaction held open'
const oneConnection = {
  'transaction/is-not-seen-before-it-commits': waits,
  'using/is-not-seen-before-the-commit': waits,
  'skips/settled-position-never-passes-an-undecided-append': waits,
  'skips/reads-without-the-guard-do-not-wait': waits,
  'skips/transactions-commit-in-mixed-order': waits,
  'skips/time-runs-against-position': waits,
  'stalls/a-long-unrelated-transaction-delays-no-reader': waits,
  'stalls/an-idle-transaction-that-read-the-log-delays-no-reader': waits,
}

conformance(fileHarness(noServer), { describe, it })
conformance(memoryHarness({ ...noServer, ...oneConnection }), { describe, it })
