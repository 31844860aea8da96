import { openEventStore } from '@varve/core'
import type { EventStore } from '@varve/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeInput } from '../scripts/make-input.ts'
import { readExpected } from '../src/expected.ts'
import { readInput } from '../src/input.ts'
import { runOrders } from '../src/orders.ts'
import { runTransfers } from '../src/transfers.ts'
import { adapters, databases, type OpenDatabase } from './databases.ts'

it('the committed input is the generated one', () => {
  const { lines, expected } = makeInput()
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(readInput())
  expect(readExpected()).toMatchObject(expected)
})

async function transfersOn(opened: EventStore) {
  const lines: string[] = []
  const result = await runTransfers({ opened, write: (line) => lines.push(line) })
  return { ...result, output: lines.join('\n') }
}

describe.each(Object.entries(databases))('transfers on %s', (_, createDatabase) => {
  let database: OpenDatabase
  let opened: EventStore

  beforeAll(async () => {
    database = await createDatabase()
    opened = await openEventStore(database.url, { adapters })
    await opened.migrate()
  })

  afterAll(async () => {
    await opened.close()
    await database.drop()
  })

  it('give what is expected', async () => {
    const { ok, output } = await transfersOn(opened)
    expect({ ok, output }).toMatchObject({ ok: true })
  })

  it('pay for orders, which have stock and payment or neither, also when they run again', async () => {
    const lines: string[] = []
    const run = () => runOrders(opened, (line) => lines.push(line))
    const first = await run()
    expect({ ...first, lines }).toMatchObject({ ok: true })
    expect(await run()).toEqual(first)
  })

  it('are all known when they run again', async () => {
    const { ok, known, output } = await transfersOn(opened)
    expect({ ok, known, output }).toMatchObject({ ok: true, known: readInput().length })
  })
})
