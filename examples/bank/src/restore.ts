import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventStore } from '@varve/core'
import type { Adapter, EventStore, NewEvent, RecordedEvent } from '@varve/core'
import { plainAccounts, rebuildLedger, totalOf } from './balances.ts'
import { Checks } from './checks.ts'
import { handle } from './handle.ts'
import { readInput } from './input.ts'
import { logDigest } from './log-digest.ts'
import { pretty } from './money.ts'
import { heading, type Write } from './report.ts'
import { TENANT } from './tenant.ts'

/** Exports the log up to a position, imports it into an empty store, and compares. */
export async function restoreTo(
  store: EventStore,
  write: Write,
  adapters: readonly Adapter[] = [],
): Promise<boolean> {
  for (const line of readInput()) await handle(store, line)
  const folder = mkdtempSync(join(tmpdir(), 'varve-bank-'))
  const restored = await openEventStore('sqlite::memory:', { tenantId: TENANT, adapters })
  try {
    await restored.migrate()
    heading(write, 'Back to just before the first account was frozen')
    const frozen = await store.readAll({ types: ['account.frozen'] }).first()
    if (frozen === undefined) throw new Error('no account was frozen')
    const until = frozen.position - 1

    const file = join(folder, 'export.jsonl')
    const exported = await exportTo(file, store, until)
    write(`  exported ${exported} events up to position ${until}, as JSON lines`)
    const imported = await importFrom(file, restored)
    write(`  imported ${imported} events into an empty store`)

    heading(write, 'Expectations')
    const [before, after] = [await rebuildLedger(store, until), await rebuildLedger(restored)]
    const checks = new Checks(write)
    checks.equal('all events came over', imported, exported)
    checks.equal(
      'their checksums are the same, in the same order',
      await logDigest(restored),
      await logDigest(store, until),
    )
    checks.equal('the restored store verifies', (await restored.verify()).ok, true)
    checks.equal(
      `the balances are those of that moment: ${pretty(totalOf(after))} in all`,
      plainAccounts(after),
      plainAccounts(before),
    )
    return checks.passed
  } finally {
    await restored.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ExportedLine {
  readonly streamId: string
  readonly streamType: string
  readonly version: number
  readonly event: Omit<NewEvent, 'occurredAt'> & { readonly occurredAt: string }
}

async function exportTo(file: string, store: EventStore, until: number): Promise<number> {
  const lines: string[] = []
  for await (const recorded of store.readAll({ until })) lines.push(JSON.stringify(exportable(recorded)))
  writeFileSync(file, `${lines.join('\n')}\n`)
  return lines.length
}

/** What an append takes; the rest the importing store finds out for itself. JSON leaves out what is undefined. */
function exportable(recorded: RecordedEvent) {
  const { streamId, streamType, version } = recorded
  const { id, type, data, metadata, schemaVersion, occurredAt, tags } = recorded
  const { correlationId, causationId, createdBy } = recorded
  const labels = { correlationId, causationId, createdBy, tags }
  return {
    streamId,
    streamType,
    version,
    event: { id, type, data, metadata, schemaVersion, occurredAt, ...labels },
  }
}

/** One after the other, so that the order of the log stays. The ids make it safe to begin again after a failure. */
async function importFrom(file: string, store: EventStore): Promise<number> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  for (const line of lines) {
    const { streamId, streamType, version, event } = JSON.parse(line) as ExportedLine
    const occurredAt = new Date(event.occurredAt)
    await store.append(streamId, [{ ...event, occurredAt }], { expectedVersion: version - 1, streamType })
  }
  return lines.length
}
