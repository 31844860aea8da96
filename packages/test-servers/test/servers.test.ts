import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from '../src/index.ts'
import { createDatabase, serverAddress } from '../src/vitest.ts'

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' })
    return rows
  } finally {
    await client.end()
  }
}

test('the shared server answers', async () => {
  expect(await query(serverAddress('postgres').url, 'select 1')).toEqual([[1]])
})

test('a database belongs to the ordinary user, and is gone once dropped', async () => {
  const database = await createDatabase('postgres')
  expect(await query(database.url, 'select current_database()')).toEqual([[database.name]])
  expect(await query(database.url, 'select rolsuper from pg_roles where rolname = current_user')).toEqual([
    [false],
  ])
  await query(database.url, 'create table t (n int)')
  await database.drop()
  await expect(query(database.url, 'select 1')).rejects.toThrow('does not exist')
})

test('databases are told apart', async () => {
  await using one = await createDatabase('postgres')
  await using two = await createDatabase('postgres')
  await query(one.url, 'create table t (n int)')
  await expect(query(two.url, 'select * from t')).rejects.toThrow('does not exist')
})

test('what was committed before kill() is there after restart()', async () => {
  await using server = await startPostgres()
  const { pid } = server
  await query(server.url, 'create table t as select 42 as n')
  await server.kill()
  expect(server.pid).toBeUndefined()
  await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await server.restart()
  expect(server.pid).not.toBe(pid)
  expect(await query(server.url, 'select n from t')).toEqual([[42]])
})

test('settings reach the server, and stop() leaves nothing', async () => {
  const server = await startPostgres({ settings: { max_connections: '17' } })
  expect(await query(server.url, 'show max_connections')).toEqual([['17']])
  const [[data] = []] = await query(server.adminUrl, 'show data_directory')
  expect(existsSync(String(data))).toBe(true)
  await server.stop()
  expect(existsSync(dirname(String(data)))).toBe(false)
})
