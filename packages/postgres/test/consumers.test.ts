import { defineProjection } from '@varve/core'
import type { ErrorReport } from '@varve/core'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner } = useDatabase()

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('a checkpoint whose row is locked for longer than a statement may take is not held against the event', async () => {
  const { store, schema } = await fresh({ statementTimeoutMs: 300 })
  await owner().query(`create table ${schema}.seen (position bigint)`)
  const projection = defineProjection<pg.PoolClient>({
    name: 'seen',
    onError: 'skip',
    handles: {
      happened: async ({ position }, tx) =>
        void (await tx.client.query(`insert into ${schema}.seen values ($1)`, [position])),
    },
  })
  const reports: ErrorReport[] = []
  await using runner = store.projections.run([projection], { onError: (report) => reports.push(report) })
  await store.append('a', [{ type: 'happened', data: 1 }])
  await runner.caughtUp()
  const locking = await owner().connect()
  await locking.query('begin')
  await locking.query(`select 1 from ${schema}.projection_checkpoints for update`)
  await store.append('a', [{ type: 'happened', data: 2 }])
  await until(() => reports.length > 0)
  await locking.query('rollback')
  locking.release()
  await runner.caughtUp()
  expect(new Set(reports.map(({ action }) => action))).toEqual(new Set(['restart']))
  const { rows } = await owner().query(`select count(*)::int as count from ${schema}.seen`)
  expect(rows).toEqual([{ count: 2 }])
})

test('a model that cannot be set up in the time of a statement stands still, and says so', async () => {
  const { store } = await fresh({ statementTimeoutMs: 200 })
  const reports: ErrorReport[] = []
  const projection = defineProjection<pg.PoolClient>({
    name: 'slow',
    setUp: async (tx) => void (await tx.client.query('select pg_sleep(60)')),
    handles: { happened: () => undefined },
  })
  await using runner = store.projections.run([projection], { onError: (report) => reports.push(report) })
  await expect(runner.caughtUp()).rejects.toThrow(/stands still: .*while it was set up/)
  expect(reports.map(({ action }) => action)).toEqual(['stop'])
  expect(await store.projections.get('slow')).toMatchObject({ status: 'faulted' })
})
