import { aggregateSnapshots } from './aggregate-snapshots.cases.js'
import { aggregates } from './aggregates.cases.js'
import { appendMany } from './append-many.cases.js'
import { appendOnly } from './append-only.cases.js'
import { append } from './append.cases.js'
import { archive } from './archive.cases.js'
import { checks } from './checks.cases.js'
import { commands } from './commands.cases.js'
import { checkpoints } from './checkpoints.cases.js'
import { conflicts } from './conflicts.cases.js'
import { data } from './data.cases.js'
import { duplicates } from './duplicates.cases.js'
import { evolvingEvents } from './evolving-events.cases.js'
import { expectedVersions } from './expected-version.cases.js'
import { filters } from './filters.cases.js'
import { idempotency } from './idempotency.cases.js'
import { ids } from './ids.cases.js'
import { integrity } from './integrity.cases.js'
import { jsonLimits } from './json-limits.cases.js'
import { lifecycle } from './lifecycle.cases.js'
import { limits } from './limits.cases.js'
import { listStreams } from './list-streams.cases.js'
import { migrations } from './migrations.cases.js'
import { numbers } from './numbers.cases.js'
import { ordering } from './ordering.cases.js'
import { outages } from './outages.cases.js'
import { feedOutages } from './feed-outages.cases.js'
import { inline } from './inline.cases.js'
import { parkedEvents } from './parked.cases.js'
import { versions } from './versions.cases.js'
import { projections } from './projections.cases.js'
import { processFailures } from './process-failures.cases.js'
import { processes } from './processes.cases.js'
import { properties } from './properties.cases.js'
import { races } from './races.cases.js'
import { readModels } from './read-models.cases.js'
import { readsAll } from './reads-all.cases.js'
import { readsStream } from './reads-stream.cases.js'
import { skips } from './skips.cases.js'
import { snapshots } from './snapshots.cases.js'
import { stalls } from './stalls.cases.js'
import { statistics } from './statistics.cases.js'
import { subscriptions } from './subscriptions.cases.js'
import { streams } from './streams.cases.js'
import { tenants } from './tenants.cases.js'
import type { Topic } from './topic.js'
import { transaction } from './transaction.cases.js'
import { using } from './using.cases.js'

/** All of the suite, in the order in which it runs: what is quick first. */
export const topics: readonly Topic[] = [
  append,
  ordering,
  expectedVersions,
  appendMany,
  checks,
  idempotency,
  duplicates,
  streams,
  readsStream,
  readsAll,
  filters,
  listStreams,
  archive,
  tenants,
  ids,
  data,
  limits,
  jsonLimits,
  transaction,
  readModels,
  conflicts,
  using,
  snapshots,
  aggregates,
  aggregateSnapshots,
  evolvingEvents,
  commands,
  statistics,
  integrity,
  appendOnly,
  migrations,
  lifecycle,
  processes,
  processFailures,
  races,
  numbers,
  skips,
  stalls,
  subscriptions,
  projections,
  parkedEvents,
  checkpoints,
  versions,
  inline,
  outages,
  feedOutages,
  properties,
]
