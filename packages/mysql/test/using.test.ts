import { isConcurrencyError, isDuplicateEventError, isTransactionConflictError } from '@varve/core'
import { createConnection as createCallbackConnection } from 'mysql2'
import { createConnection } from 'mysql2/promise'
import type { Connection } from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { one, onEach, rowsOf, useDatabase } from './store.js'

onEach('using', ({ fresh, open, database }) => {
  /** In a transaction under REPEATABLE READ, its snapshot taken. */
  const begun = async (prefix: string): Promise<Connection> => {
    const connection = await createConnection({ uri: database().url })
    const [row] = await rowsOf(connection, `show variables like 't%x_isolation'`).catch(() => [])
    expect(row?.['Value'] ?? 'REPEATABLE-READ').toBe('REPEATABLE-READ')
    await connection.query('start transaction')
    await connection.query(`select count(*) from ${prefix}events`)
    return connection
  }

  it('takes connections with promises and with callbacks; both give the promise kind', async () => {
    const { store } = await fresh()
    const promised = await createConnection({ uri: database().url })
    const called = createCallbackConnection({ uri: database().url })
    for (const connection of [promised, called]) {
      const client = connection === called ? called.promise() : promised
      await client.query('start transaction')
      const tx = store.using(connection)
      await tx.append('a', one())
      expect(typeof tx.client.execute).toBe('function')
      const [rows] = await tx.client.query('select 1 as n')
      expect(rows).toEqual([{ n: 1 }])
      await client.query('commit')
      await client.end()
    }
    expect((await store.getStream('a'))?.version).toBe(2)
    expect(() => store.using({} as Connection)).toThrow('connection of mysql2')
  })

  it('sees what is committed by now, although the snapshot of the transaction is older', async () => {
    const { store, prefix } = await fresh()
    const other = open({ tablePrefix: prefix })
    const stored = (await store.append('a', one())).events.map(({ id, type, data }) => ({ id, type, data }))
    const connection = await begun(prefix)
    const later = await other.append('a', one('later'))
    await other.append('new', one())
    const tx = store.using(connection)

    const miss = tx.append('a', one(), { expectedVersion: 1 })
    await expect(miss).rejects.toSatisfy(isConcurrencyError)
    await expect(miss).rejects.toMatchObject({ expectedVersion: 1, actualVersion: 2 })
    const founder = tx.append('new', one(), { expectedVersion: 'no-stream' })
    await expect(founder).rejects.toMatchObject({ code: 'VARVE_CONCURRENCY', actualVersion: 1 })
    // an id that this snapshot does not show
    const ids = later.events.map(({ id, type, data }) => ({ id, type, data }))
    expect(await tx.append('a', ids)).toMatchObject({ duplicate: true, version: 2 })
    await expect(tx.append('b', ids)).rejects.toSatisfy(isDuplicateEventError)
    expect(await tx.append('a', stored)).toMatchObject({ duplicate: true, version: 1 })

    expect((await tx.append('a', one(), { expectedVersion: 2 })).version).toBe(3)
    expect((await tx.append('a', one())).version).toBe(4)
    await connection.query('commit')
    await connection.end()
    expect(await store.verify()).toMatchObject({ ok: true, events: 5 })
  })

  it('leaves the settings of the connection alone', async () => {
    const { store } = await fresh()
    const connection = await createConnection({ uri: database().url })
    const names = `'autocommit', 'sql_mode', 'time_zone', 'innodb_lock_wait_timeout', 'max_execution_time', 'max_statement_time', 'foreign_key_checks'`
    const settings = () =>
      rowsOf(
        connection,
        `show session variables where variable_name in (${names}) or variable_name like 'character_set_%' or variable_name like '%isolation'`,
      )
    const before = await settings()
    await connection.query('start transaction')
    await store.using(connection).append('a', one())
    await connection.query('commit')
    expect(await settings()).toEqual(before)
    await connection.end()
  })
})

describe('using on mariadb', () => {
  const { fresh, database } = useDatabase('mariadb')

  it('reports what MariaDB refuses with innodb_snapshot_isolation as a conflict', async () => {
    const { store, prefix } = await fresh()
    await store.append('a', one())
    const connection = await createConnection({ uri: database().url })
    await connection.query('set session innodb_snapshot_isolation = on')
    await connection.query('start transaction')
    await connection.query(`select count(*) from ${prefix}event_streams`)
    await store.append('a', one())
    await expect(store.using(connection).append('a', one())).rejects.toSatisfy(isTransactionConflictError)
    await connection.query('rollback')
    await connection.end()
  })
})
