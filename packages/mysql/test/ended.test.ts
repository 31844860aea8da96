import { defineProjection, isInvalidArgumentError } from '@varve/core'
import { createConnection } from 'mysql2/promise'
import type { Connection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { one, onEach } from './store.js'

// a deadlock ends the whole transaction, and what comes next would be committed statement by statement
onEach('a transaction that the server has ended', ({ fresh, open, prefix, database, sql }) => {
  const tableWith = async (): Promise<string> => {
    const table = `${prefix()}rows`
    await sql(`create table ${table} (id int primary key, n int not null)`)
    await sql(`insert into ${table} values (1, 0), (2, 0)`)
    return table
  }

  /** A deadlock with somebody who has written more, and is therefore spared; the client does not say a word about it. */
  const swallowDeadlock = async (client: Connection, table: string): Promise<void> => {
    const rival = await createConnection({ uri: database().url })
    const up = (id: number): string => `update ${table} set n = n + 1 where id = ${id}`
    await rival.query('start transaction')
    const many = Array.from({ length: 500 }, (_, n) => `(${1_000 + n}, 0)`)
    await rival.query(`insert into ${table} values ${many.join(', ')}`)
    await rival.query(up(2))
    await client.query(up(1))
    const [, own] = await Promise.allSettled([rival.query(up(1)), client.query(up(2))])
    expect(own).toMatchObject({ status: 'rejected', reason: { errno: 1213 } })
    await rival.query('rollback')
    await rival.end()
  }

  it('takes no append: it would be stored though its caller is told that it was not', async () => {
    const { store } = await fresh()
    const table = await tableWith()
    const work = store.transaction(async (tx) => {
      await swallowDeadlock(tx.client, table)
      await tx.append('a', one())
    })
    await expect(work).rejects.toSatisfy(isInvalidArgumentError)
    expect(await store.readAll().count()).toBe(0)
    expect(await store.getStream('a')).toBeUndefined()

    const connection = await createConnection({ uri: database().url })
    await expect(store.using(connection).append('a', one())).rejects.toSatisfy(isInvalidArgumentError)
    await connection.end()
    expect(await store.readAll().count()).toBe(0)
  })

  it('does not pass for one that was committed', async () => {
    const { store } = await fresh()
    const table = await tableWith()
    let tries = 0
    const ended = (way: (client: Connection) => Promise<unknown>) =>
      store.transaction(
        async (tx) => {
          tries++
          await tx.append('a', one())
          await way(tx.client)
        },
        { retries: 2 },
      )
    await expect(ended((client) => swallowDeadlock(client, table))).rejects.toSatisfy(isInvalidArgumentError)
    expect([tries, await store.readAll().count()]).toEqual([1, 0])
    // what this has committed must not be stored again
    await expect(ended((client) => client.query(`analyze table ${table}`))).rejects.toSatisfy(
      isInvalidArgumentError,
    )
    expect([tries, await store.readAll().count()]).toEqual([2, 1])
    const goneOn = store.transaction(
      async (tx) => {
        await tx.append('b', one())
        await tx.client.query(`analyze table ${table}`)
        await tx.append('b', one())
      },
      { retries: 2 },
    )
    await expect(goneOn).rejects.toSatisfy(isInvalidArgumentError)
    expect(await store.readStream('b').count()).toBe(1)
  })

  const counting = (table: string) => {
    const state = { deadlocks: 1 }
    const projection = defineProjection<Connection>({
      name: 'counting',
      handles: {
        tested: async (_, tx) => {
          await tx.client.query(`update ${table} set n = n + 1 where id = 1`)
        },
        last: async (_, tx) => {
          if (state.deadlocks-- > 0) await swallowDeadlock(tx.client, table)
        },
      },
    })
    return projection
  }
  const counted = async (table: string): Promise<unknown> =>
    (await sql(`select n from ${table} where id = 1`))[0]?.['n']

  it('moves no checkpoint past what handlers wrote in it', async () => {
    const { store } = await fresh()
    const table = await tableWith()
    await store.append('a', [...one(), ...one(), ...one('last')])
    await using runner = store.projections.run([counting(table)])
    await runner.caughtUp()
    expect(await counted(table)).toBe(2)
  })

  it('is no append that has succeeded: inline projections', async () => {
    const tablePrefix = prefix()
    const table = await tableWith()
    const store = open({ tablePrefix, inline: [counting(table)] })
    await store.migrate()
    const { version } = await store.append('a', [...one(), ...one('last')])
    expect([version, await store.readStream('a').count(), await counted(table)]).toEqual([2, 2, 1])
  })
})
