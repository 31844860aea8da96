import { fork } from 'node:child_process'
import { once } from 'node:events'
import { defineProjection } from '@varve/core'
import { sqlOf } from '@varve/sql'
import { createConnection } from 'mysql2/promise'
import type { Connection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { onEach } from './store.js'

onEach('a leader', ({ fresh, sql, database }) => {
  it('that is stopped in mid-transaction is taken over, and commits nothing when it goes on', async () => {
    const { store, prefix } = await fresh()
    await sql('create table stopped_model (position bigint primary key, by_whom varchar(20) not null)')
    await store.append('a', [{ type: 'counted', data: 1 }])
    const child = fork(
      new URL('stopped-process.mjs', import.meta.url),
      [JSON.stringify({ uri: database().url, tablePrefix: prefix }), '1000'],
      { execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'] },
    )
    // it has written the row, and holds its lock
    await once(child, 'message')
    child.kill('SIGSTOP')
    const projection = defineProjection<Connection>({
      name: 'stopped',
      handles: {
        counted: (event, tx) =>
          tx.client.query(`insert into stopped_model values (?, 'successor')`, [event.position]),
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
    expect(await sql('select by_whom from stopped_model')).toEqual([{ by_whom: 'successor' }])
    await runner.stop()
  }, 60_000)

  it('is not ended when its connection is another one by now', async () => {
    const { store } = await fresh()
    const { driver, dialect } = sqlOf(store)
    const other = await createConnection({ uri: database().url })
    const name = await driver.session(async ({ client }) => dialect.consume.connectionName?.(client) ?? '')
    const [id = '', started = '', user = ''] = name.split('/')
    expect([Number(id) > 0, Number(started) > 1_700_000_000, user]).toEqual([true, true, 'varve'])
    const wrong = [
      '',
      'x',
      `${other.threadId}/${Number(started) - 60}/${user}`,
      `${other.threadId}/${started}/other`,
      `999999999/${started}/${user}`,
    ]
    for (const each of wrong) await dialect.consume.evict?.(driver, each)
    await other.query('select 1')
    await dialect.consume.evict?.(driver, `${other.threadId}/${started}/${user}`)
    await expect(other.query('select 1')).rejects.toThrow(/connection|socket/i)
  })
})
