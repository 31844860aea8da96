import { caseContext, SharedStore } from './context.js'
import type { ConformanceHarness, Runner } from './harness.js'
import { within } from './helpers.js'
import type { Case } from './topic.js'
import { topics } from './topics.js'

export type {
  ConformanceHarness,
  OpenedStore,
  OpenOptions,
  OwnTransaction,
  Runner,
  ServerFaults,
} from './harness.js'
export { fieldFaults } from './field-faults.js'

/** The topics of the suite and the ids of their cases, in the order in which they run. */
export const conformanceTopics: readonly { readonly topic: string; readonly cases: readonly string[] }[] =
  topics.map(({ name, cases }) => ({
    topic: name,
    cases: Object.keys(cases).map((slug) => `${name}/${slug}`),
  }))

/**
 * Holds an adapter against the contract: defines one test per case, in one group per topic (`name › topic`). The tests
 * of a topic share a store, so they have to run one after another.
 *
 * @throws Error for a known gap that names no case.
 *
 * @example
 * ```ts
 * import { conformance, type ConformanceHarness } from '@varve/core/conformance'
 * import { describe, it } from 'node:test'
 *
 * export function check(harness: ConformanceHarness): void {
 *   conformance(harness, { describe, it })
 * }
 * ```
 */
export function conformance(
  harness: ConformanceHarness,
  runner: Runner,
  options: {
    /** How long one case may take before it counts as hanging; 25,000 when absent. */
    caseTimeoutMs?: number
  } = {},
): void {
  const gaps = harness.knownGaps ?? {}
  refuseUnknownGaps(gaps)
  const timeoutMs = options.caseTimeoutMs ?? 25_000
  for (const { name, cases } of topics) {
    runner.describe(`${harness.name} › ${name}`, () => {
      const entries = Object.entries(cases)
      const stores = sharedStores(harness, entries.length)
      for (const [slug, run] of entries) {
        const id = `${name}/${slug}`
        const reason = gaps[id]
        const attempt = (): Promise<void> =>
          stores.use((shared, count) => runCase(harness, shared, run, count, timeoutMs))
        if (reason === undefined) runner.it(id, attempt)
        else runner.it(`${id} (known gap: ${reason})`, () => expectFailure(id, reason, attempt))
      }
    })
  }
}

async function runCase(
  harness: ConformanceHarness,
  shared: SharedStore,
  run: Case,
  count: number,
  timeoutMs: number,
): Promise<void> {
  const { context, end } = caseContext(harness, shared, `case-${count}`)
  try {
    await within(run(context), timeoutMs, 'the case')
  } finally {
    await within(end(), Math.min(timeoutMs, 10_000), 'clearing up after the case')
  }
}

/** One store for the cases of a topic, opened by the first and disposed of by the last; a failure takes it away too. */
function sharedStores(harness: ConformanceHarness, cases: number) {
  let shared: SharedStore | undefined
  let count = 0
  return {
    async use(body: (store: SharedStore, count: number) => Promise<void>): Promise<void> {
      count += 1
      shared ??= new SharedStore(await harness.open())
      let failed = true
      try {
        await body(shared, count)
        failed = false
      } finally {
        if (failed || count === cases) {
          const last = shared
          shared = undefined
          // the failure of the case is the one to be shown
          const disposed = within(last.opened.dispose(), 10_000, 'dispose')
          await (failed ? disposed.catch(() => undefined) : disposed)
        }
      }
    },
  }
}

async function expectFailure(id: string, reason: string, attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt()
  } catch {
    return
  }
  throw new Error(`${id} passes, though knownGaps says that it cannot (${reason}): remove it from knownGaps.`)
}

function refuseUnknownGaps(gaps: Readonly<Record<string, string>>): void {
  const known = new Set(conformanceTopics.flatMap((topic) => topic.cases))
  for (const [id, reason] of Object.entries(gaps)) {
    if (!known.has(id)) throw new Error(`knownGaps names '${id}', but there is no such case.`)
    if (reason.trim() === '') throw new Error(`knownGaps gives no reason for '${id}'.`)
  }
}
