import type { EventStore } from '@varve/core'
import { plainAccounts, printBalances, rebuildLedger, totalOf } from './balances.ts'
import { Checks } from './checks.ts'
import { provokeConflict, repeatDeposit } from './conflicts.ts'
import { DOCUMENTS_ACCOUNT } from './documents.ts'
import { type Expected, readExpected } from './expected.ts'
import { handle, load, type Outcome } from './handle.ts'
import { readInput } from './input.ts'
import { logDigest } from './log-digest.ts'
import { fromCents, pretty } from './money.ts'
import { showQueries } from './queries.ts'
import { heading, shortened, table, type Write } from './report.ts'
import { showStatistics } from './statistics.ts'

export interface BankOptions {
  readonly store: EventStore
  readonly write: Write
  readonly expected?: Expected
}

/** The whole example. Gives what must be equal whatever the database, and whether all expectations held. */
export async function runBank({ store, write, expected = readExpected() }: BankOptions) {
  heading(write, '1. The input')
  const outcomes = await handleAll(store, write)

  heading(write, '2. Balances, rebuilt from the log')
  const ledger = await rebuildLedger(store)
  printBalances(write, ledger)

  heading(write, '3. Six queries')
  const queries = await showQueries(store, write)

  heading(write, '4. Two writers, and a lost answer')
  const conflict = await provokeConflict(store, write)
  const repeated = await repeatDeposit(store, write)

  heading(write, '5. Integrity and statistics')
  const verified = await store.verify()
  const found = `${verified.events} events in ${verified.streams} streams`
  write(`  verify: ${found}, ${verified.problems.length} problems`)
  const statistics = await showStatistics(store, write)

  heading(write, '6. Expectations')
  const documents = await store.readStream(DOCUMENTS_ACCOUNT, { toVersion: 2 }).toArray()
  const account = await load(store, DOCUMENTS_ACCOUNT)
  const refused = refusals(outcomes)
  const log = await logDigest(store)
  const checks = new Checks(write)
  checks.equal(
    "the documents' two events give 1250.00",
    [documents.length, fromCents(account.balance)],
    [2, '1250.00'],
  )
  checks.equal('every account has the balance expected', plainAccounts(ledger), expected.accounts)
  checks.equal('refused were exactly the commands expected', refused, expected.refused)
  checks.equal('what was sent was received', fromCents(ledger.sent), fromCents(ledger.received))
  const conserved = ledger.opened + ledger.deposited - ledger.withdrawn
  checks.equal(
    `no cent was lost: ${pretty(conserved)}`,
    [fromCents(totalOf(ledger)), fromCents(conserved)],
    [expected.total, expected.total],
  )
  checks.equal('no event is missing, none is stored twice', statistics.events, expected.events)
  checks.equal('the stale append was refused', conflict, { expected: 1, actual: 2 })
  checks.equal('the repeated append stored nothing', repeated, true)
  checks.equal('all checksums, versions and heads are right', verified.ok, true)
  checks.equal('the log is the same as on every other database', log, expected.log)

  return { ok: checks.passed, known: outcomes.filter(({ known }) => known).length, log, queries, statistics }
}

async function handleAll(store: EventStore, write: Write): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const line of readInput()) outcomes.push(await handle(store, line))
  const refused = outcomes.filter((outcome) => outcome.refused !== undefined)
  const known = outcomes.filter((outcome) => outcome.known)
  if (known.length > 0) write(`  ${known.length} lines were stored already, by an earlier run`)
  write(
    `  ${outcomes.length} lines: ${outcomes.length - refused.length} accepted, ${refused.length} refused:`,
  )
  table(
    write,
    refused.map(({ line, refused: why = '' }) => {
      const command = 'command' in line ? line.command : line.event
      const amount = 'amount' in line ? line.amount : ''
      const account = 'account' in line ? line.account : line.streamId
      return { command, account: shortened(account), amount, why }
    }),
  )
  return outcomes
}

function refusals(outcomes: readonly Outcome[]) {
  return outcomes.flatMap(({ line, refused }) =>
    refused === undefined ? [] : [{ id: line.id, reason: refused }],
  )
}
