import type { EventStore } from '@varve/core'
import { Checks } from './checks.ts'
import { type Expected, readExpected } from './expected.ts'
import { accountsOf, handle, type Outcome } from './handle.ts'
import { readInput } from './input.ts'
import { logDigest } from './log-digest.ts'
import { heading, table, type Write } from './report.ts'
import { storm } from './storm.ts'

export interface TransferOptions {
  /** As it was opened: bound to no tenant. */
  readonly opened: EventStore
  readonly write: Write
  readonly expected?: Expected
}

/** The whole example. Gives what must be equal whatever the database, and whether all expectations held. */
export async function runTransfers({ opened, write, expected = readExpected() }: TransferOptions) {
  const store = opened.forTenant('transfers')
  heading(write, '1. The input')
  const outcomes: Outcome[] = []
  for (const line of readInput()) outcomes.push(await handle(store, line))
  const refused = outcomes.flatMap(({ line, refused: reason }) =>
    reason === undefined ? [] : [{ id: line.id, reason }],
  )
  const known = outcomes.filter((outcome) => outcome.known).length
  if (known > 0) write(`  ${known} lines were stored already, by an earlier run`)
  write(`  ${outcomes.length} lines, ${refused.length} transfers refused:`)
  const reasons = Map.groupBy(refused, ({ reason }) => reason)
  table(
    write,
    [...reasons].map(([reason, { length }]) => ({ reason, transfers: length })),
  )

  heading(write, '2. Balances, loaded from snapshots and what came after them')
  const balances: Record<string, number> = {}
  const rows = []
  for (const accountId of Object.keys(expected.balances)) {
    const { state, version } = await accountsOf(store).load(accountId)
    const snapshot = await store.snapshots.latest(accountId)
    balances[accountId] = state.cents
    rows.push({
      account: accountId,
      owner: state.owner ?? '',
      cents: state.cents,
      version,
      snapshot: snapshot?.version ?? 0,
    })
  }
  table(write, rows)
  const uncovered = await store.snapshots.coverage({ moreThan: 10, streamTypes: ['account'] })

  heading(write, '3. Fifty transfers at once')
  const crowd = await storm(opened.forTenant('storm'))
  write(`  ${crowd.retried} of them met a conflict and were decided again`)

  heading(write, '4. Expectations')
  const log = await logDigest(store)
  const verified = await store.verify()
  const total = Object.values(balances).reduce((sum, cents) => sum + cents, 0)
  const checks = new Checks(write)
  checks.equal('every account has the balance expected', balances, expected.balances)
  checks.equal('refused were exactly the transfers expected', refused, expected.refused)
  checks.equal('no cent was lost', total, expected.total)
  checks.equal('nor when fifty moved money at once', crowd.after, crowd.before)
  checks.equal('no account is more than ten events from a snapshot', uncovered, [])
  checks.equal('no event is missing, none is stored twice', verified.events, expected.events)
  checks.equal('all checksums, versions and heads are right', verified.ok, true)
  checks.equal('the log is the same as on every other database', log, expected.log)
  return { ok: checks.passed, known, balances, log }
}
