import { createConnection } from 'mysql2/promise'
import type { Connection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import type { MysqlEventStore } from '../src/index.js'
import { one, onEach, until } from './store.js'

onEach('an append that the server interrupts', ({ fresh, database, sql, admin }) => {
  const locked = async (prefix: string, stream: string): Promise<boolean> => {
    const text = `select 1 from ${prefix}event_streams where stream_id = '${stream}' for update nowait`
    const [outcome] = await Promise.allSettled([sql(text)])
    return outcome.status === 'rejected'
  }
  /** Somebody who keeps a stream's head. */
  const keeping = async (prefix: string, stream: string): Promise<Connection> => {
    const rival = await createConnection({ uri: database().url })
    await rival.query('start transaction')
    await rival.query(`select 1 from ${prefix}event_streams where stream_id = '${stream}' for update`)
    return rival
  }
  /** What is written afterwards on the same connection is committed. */
  const lasting = async (store: MysqlEventStore, prefix: string): Promise<void> => {
    await store.archiveStream('b')
    const [head] = await sql(`select archived_at from ${prefix}event_streams where stream_id = 'b'`)
    expect(head?.['archived_at']).not.toBeNull()
  }

  it('keeps nobody from appending, and leaves no transaction on its connection', async () => {
    const { store, prefix } = await fresh({ retry: false, pool: { max: 1 } })
    await store.append('a', one())
    await store.append('b', one())
    const rival = await keeping(prefix, 'a')
    const refused = store.append('a', one()).catch((error: unknown) => error)
    await until(() => locked(prefix, ''))
    const find = `select id as thread from information_schema.processlist where db = '${database().name}' and info like 'update%'`
    let waiting = await admin(find)
    while (waiting.length === 0) waiting = await admin(find)
    await admin(`kill query ${String(waiting[0]?.['thread'])}`)
    expect(await refused).toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' })
    expect(await locked(prefix, '')).toBe(false)
    await lasting(store, prefix)
    await rival.query('rollback')
    await rival.end()
  })

  it('keeps nobody from appending when its time is over', async () => {
    const { store, prefix } = await fresh({ retry: false, pool: { max: 1 }, statementTimeoutMs: 500 })
    await store.append('a', one())
    await store.append('b', one())
    const rival = await keeping(prefix, 'a')
    await expect(store.append('a', one())).rejects.toMatchObject({ outcome: 'not-applied' })
    expect(await locked(prefix, '')).toBe(false)
    await lasting(store, prefix)
    await rival.query('rollback')
    await rival.end()
  })
})
