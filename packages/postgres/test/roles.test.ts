import { readFileSync } from 'node:fs'
import { defineProcess, defineProjection, eventData } from '@varve/core'
import type { EventStore } from '@varve/core'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, open, owner, pool, database } = useDatabase()

/** What the README grants to an application, for this schema and role. */
function grants(schema: string, role: string): string[] {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, block = ''] = /### Database roles[\s\S]*?```sql\n([\s\S]*?)```/.exec(readme) ?? []
  return block
    .trim()
    .split('\n')
    .map((line) => line.replaceAll('varve.', `${schema}.`).replace('schema varve', `schema ${schema}`))
    .map((line) => line.replace(' to app;', ` to ${role}`))
}

async function useEverything(store: EventStore): Promise<void> {
  await store.append('a', [{ type: 'happened', data: 1 }])
  await store.appendMany([
    { streamId: 'a', events: [{ type: 'happened', data: 2 }] },
    { streamId: 'b', events: [], expectedVersion: 'no-stream' },
  ])
  await store.archiveStream('a')
  expect(await store.readAll().count()).toBeGreaterThan(1)
  const projection = defineProjection({ name: 'counted', handles: { happened: () => undefined } })
  const runner = store.projections.run([projection])
  await runner.caughtUp()
  await runner.stop()
  await store.snapshots.save('a', { version: 1, state: {} })
  expect((await store.snapshots.latest('a'))?.version).toBe(1)
  const process = defineProcess({
    name: 'answering',
    events: { happened: eventData<number>() },
    correlate: (event) => `about-${event.data}`,
    initialState: {},
    handles: {
      happened: (_, { data }) => ({
        emit: [{ streamId: `answer-${data}`, type: 'answered', data }],
        timeouts: [{ name: 'late', afterMs: 3_600_000 }],
      }),
    },
    timeouts: { late: () => ({ complete: true }) },
  })
  const answering = store.processes.run([process])
  await answering.caughtUp()
  await answering.stop()
  expect(await store.readAll({ types: ['answered'] }).count()).toBe(2)
  expect((await store.health()).status).toBe('ok')
  expect((await store.verify()).ok).toBe(true)
  await store.statistics()
}

test("the rights that the README gives an application are enough, and no more than enough to keep the log's past", async () => {
  const { schema } = await fresh()
  const role = `app_${database().name}`
  await pool().query(`create role ${role} login`)
  try {
    const statements = grants(schema, role)
    expect(statements.length).toBeGreaterThan(5)
    for (const statement of statements) await owner().query(statement)
    const url = new URL(database().url)
    url.username = role
    const store = open({ connectionString: url.href, schema })
    await store.migrate()
    await useEverything(store)
    for (const statement of ['update', 'delete', 'truncate'] as const) {
      const text = {
        update: `update ${schema}.events set event_type = 'other'`,
        delete: `delete from ${schema}.events`,
        truncate: `truncate ${schema}.events`,
      }[statement]
      await expect(store.transaction(({ client }) => client.query(text))).rejects.toThrow(/permission denied/)
    }
    await store.close()
  } finally {
    await pool().query(`drop owned by ${role}`)
    await pool().query(`drop role ${role}`)
  }
})
