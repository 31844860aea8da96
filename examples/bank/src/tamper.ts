import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventStore } from '@varve/core'
import type { Adapter, EventStore } from '@varve/core'
import Database from 'better-sqlite3'
import { Checks } from './checks.ts'
import { DOCUMENTS_ACCOUNT, DOCUMENTS_DEPOSIT } from './documents.ts'
import { handle } from './handle.ts'
import { readInput } from './input.ts'
import { heading, type Write } from './report.ts'
import { TENANT } from './tenant.ts'

const forgery = `update events set event_data = replace(event_data, '"250.00"', '"9250.00"')
  where event_id = '${DOCUMENTS_DEPOSIT}'`

/** Changes a stored event behind the store's back, in a SQLite file of its own, and lets the store find it. */
export async function tamperAndVerify(write: Write, adapters: readonly Adapter[] = []): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bank-'))
  const file = join(folder, 'bank.db')
  const checks = new Checks(write)
  write('varve example: a bank in a SQLite file of its own')
  try {
    await withStore(file, adapters, async (store) => {
      await store.migrate()
      for (const line of readInput()) await handle(store, line)
      checks.equal('before: everything verifies', (await store.verify()).ok, true)
    })

    heading(write, 'A deposit of 250.00 becomes one of 9250.00')
    const database = new Database(file)
    const refusal = refusalOf(() => database.exec(forgery))
    write(`  the database says: ${refusal ?? 'nothing'}`)
    checks.equal('an UPDATE of events is refused', refusal?.includes('append-only'), true)
    dropTriggers(database)
    checks.equal(
      'the owner drops the triggers, and it goes through',
      database.prepare(forgery).run().changes,
      1,
    )
    database.close()

    await withStore(file, adapters, async (store) => {
      const { ok, problems } = await store.verify()
      for (const { kind, streamId, version, detail } of problems) {
        write(`  verify: ${kind} in ${streamId} at version ${version ?? '?'}`)
        write(`    ${detail}`)
      }
      const found = problems.map(({ kind, streamId, version }) => ({ kind, streamId, version }))
      const expected = [{ kind: 'checksum', streamId: DOCUMENTS_ACCOUNT, version: 2 }]
      checks.equal('verify names that event, and no other', { ok, found }, { ok: false, found: expected })
    })
    return checks.passed
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withStore(
  file: string,
  adapters: readonly Adapter[],
  work: (store: EventStore) => Promise<void>,
): Promise<void> {
  const store = await openEventStore(`sqlite:${file}`, { tenantId: TENANT, adapters })
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

function refusalOf(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function dropTriggers(database: Database.Database): void {
  const triggers = database.prepare("select name from sqlite_master where type = 'trigger'").pluck().all()
  for (const name of triggers) database.exec(`drop trigger "${String(name)}"`)
}
