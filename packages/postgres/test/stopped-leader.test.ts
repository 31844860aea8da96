import { fork } from 'node:child_process'
import { once } from 'node:events'
import { defineProjection } from '@varve/core'
import type { PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, owner, database } = useDatabase()

test('a leader that is stopped in mid-transaction is taken over, and commits nothing when it goes on', async () => {
  const { store, schema } = await fresh()
  await owner().query('create table stopped_model (position bigint primary key, by_whom text not null)')
  await store.append('a', [{ type: 'counted', data: 1 }])
  const child = fork(
    new URL('stopped-process.mjs', import.meta.url),
    [JSON.stringify({ connectionString: database().url, schema }), '1000'],
    { execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'] },
  )
  // it has written the row, and holds its lock
  await once(child, 'message')
  child.kill('SIGSTOP')
  const projection = defineProjection<PoolClient>({
    name: 'stopped',
    handles: {
      counted: (event, tx) =>
        tx.client.query(`insert into stopped_model values ($1, 'successor')`, [event.position]),
    },
  })
  const runner = store.projections.run([projection], { leaseMs: 1_000 })
  const begun = performance.now()
  await runner.caughtUp()
  expect(performance.now() - begun).toBeLessThan(6_000)
  const exited = once(child, 'exit')
  child.kill('SIGCONT')
  child.send('go on')
  await exited
  const { rows } = await owner().query('select by_whom from stopped_model')
  expect(rows).toEqual([{ by_whom: 'successor' }])
  await runner.stop()
}, 60_000)
