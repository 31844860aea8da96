import { openEventStore } from '@varve/core'
import type { EventStore } from '@varve/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runBank } from '../src/bank.ts'
import { readInput } from '../src/input.ts'
import { restoreTo } from '../src/restore.ts'
import { TENANT } from '../src/tenant.ts'
import { adapters, databases, type OpenDatabase } from './databases.ts'

/** Of the database that was there first; the others must give the same. */
let first: unknown

type Result = Awaited<ReturnType<typeof runBank>>

async function bankOn(store: EventStore): Promise<Result & { output: string }> {
  const lines: string[] = []
  const result = await runBank({ store, write: (line) => lines.push(line) })
  return { ...result, output: lines.join('\n') }
}

describe.each(Object.entries(databases))('the bank on %s', (_, createDatabase) => {
  let database: OpenDatabase
  let store: EventStore
  const open = () => openEventStore(database.url, { tenantId: TENANT, adapters })

  beforeAll(async () => {
    database = await createDatabase()
    store = await open()
    await store.migrate()
  })

  afterAll(async () => {
    await store.close()
    await database.drop()
  })

  it('gives what is expected, also when it runs twice at once', async () => {
    const results = await Promise.all([bankOn(store), bankOn(store)])
    for (const { ok, output } of results) expect({ ok, output }).toMatchObject({ ok: true })
  })

  it('finds everything stored already when it runs again', async () => {
    const { ok, known, output, queries, statistics, log } = await bankOn(store)
    expect({ ok, known, output }).toMatchObject({ ok: true, known: readInput().length })
    first ??= { log, queries, statistics }
    expect({ log, queries, statistics }).toEqual(first)
  })

  it('prints less than a hundred lines', async () => {
    const { output } = await bankOn(store)
    expect(output.split('\n').length).toBeLessThan(100)
  })

  it('exports the log up to a position, and restores it elsewhere', async () => {
    const lines: string[] = []
    const ok = await restoreTo(store, (line) => lines.push(line), adapters)
    expect({ ok, lines }).toMatchObject({ ok: true })
  })
})
