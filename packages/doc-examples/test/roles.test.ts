import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defineProcess, defineProjection, eventData } from '@varve/core'
import type { EventStore } from '@varve/core'
import { createPostgresEventStore } from '@varve/postgres'
import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import { createDatabase } from '@varve/test-servers/vitest'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../src/extract.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

async function asAdministrator(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** What needs tables beside those of the log. */
async function consume(store: EventStore): Promise<void> {
  const projection = defineProjection({ name: 'counted', handles: { 'account.opened': () => undefined } })
  const answering = defineProcess({
    name: 'answering',
    events: { 'account.opened': eventData<object>() },
    correlate: ({ id }) => id,
    initialState: {},
    handles: { 'account.opened': () => ({ timeouts: [{ name: 'late', afterMs: 3_600_000 }] }) },
    timeouts: { late: () => ({ complete: true }) },
  })
  for (const runner of [store.projections.run([projection]), store.processes.run([answering])]) {
    await runner.caughtUp()
    await runner.stop()
  }
  await store.snapshots.save('account-1', { version: 1, state: {} })
  expect((await store.snapshots.latest('account-1'))?.version).toBe(1)
}

const schemas = [
  { name: 'simple', create: createPostgresEventStore, more: '' },
  {
    name: 'partitioned',
    create: createPartitionedPostgresEventStore,
    more: ';grant select on varve.event_partitions to app',
  },
]

it.each(schemas)(
  "gives the application, by the README's grants, all it needs and no way to change events ($name)",
  async ({ name, create, more }) => {
    expect(readme).toContain(more.slice(1))
    const database = await createDatabase('postgres')
    const owner = create({ connectionString: database.url })
    await owner.migrate()
    await owner.close()

    const role = `app_${randomBytes(4).toString('hex')}`
    const [grants] = blocksOf(readme, 'sql')
    const text = `${(grants?.lines ?? []).join('\n')}${more}`.replaceAll(/\bto app\b/g, `to ${role}`)
    await asAdministrator(database.adminUrl, `create role ${role} login`, text)
    const url = new URL(database.url)
    url.username = role

    const pool = new pg.Pool({ connectionString: url.href })
    // a pool has ended before its last connections have, and the database is dropped beneath them
    pool.on('connect', (client) => client.on('error', () => undefined))
    const store = create({ pool })
    onTestFinished(async () => {
      await store.close()
      await pool.end()
      await database.drop()
      await asAdministrator(new URL('/postgres', database.adminUrl).href, `drop role ${role}`)
    })

    await store.migrate()
    const event = { type: 'account.opened', data: {}, tags: ['bank:one'] }
    await store.append('account-1', [event], { expectedVersion: 'no-stream', streamType: 'account' })
    await store.append('account-1', [event, event])
    await store.appendMany([
      { streamId: 'account-2', events: [event] },
      { streamId: 'account-3', events: [], expectedVersion: 'no-stream' },
    ])
    await store.transaction(async (tx) => tx.append('account-1', [event], { expectedVersion: 3 }))
    await store.archiveStream('account-2')
    expect(await store.readAll().count()).toBe(5)
    await consume(store)
    expect(await store.verify()).toMatchObject({ ok: true, events: 5 })
    expect(await store.statistics()).toMatchObject({ events: 5, streams: 2 })
    // of the partitions themselves only the owner is told
    if (name === 'simple') expect(await store.health()).toMatchObject({ status: 'ok' })

    for (const change of [
      "update varve.events set event_type = 'x'",
      'delete from varve.events',
      'truncate varve.events',
    ]) {
      await expect(pool.query(change)).rejects.toMatchObject({ code: '42501' })
    }
  },
)
