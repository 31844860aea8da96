import { readFileSync, writeFileSync } from 'node:fs'
import { isMigrationError, isStoreUnavailableError } from '@varve/core'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { classify } from '../src/classify.js'
import { one, useStores } from './stores.js'

const { file, open, migrated, database, afterwards } = useStores()

const sqliteError = (code: string, message = 'said SQLite') => new Database.SqliteError(message, code)

describe('classify', () => {
  it.each([
    ['SQLITE_BUSY', 'conflict'],
    ['SQLITE_BUSY_SNAPSHOT', 'conflict'],
    ['SQLITE_LOCKED', 'conflict'],
    ['SQLITE_CONSTRAINT_UNIQUE', 'unique'],
    ['SQLITE_CONSTRAINT_PRIMARYKEY', 'unique'],
    ['SQLITE_CONSTRAINT_ROWID', 'unique'],
    ['SQLITE_CONSTRAINT_TRIGGER', 'other'],
    ['SQLITE_CONSTRAINT_CHECK', 'other'],
    ['SQLITE_CANTOPEN_ISDIR', 'unreachable'],
    ['SQLITE_FULL', 'other'],
    ['SQLITE_IOERR_FSYNC', 'other'],
    ['SQLITE_CORRUPT_VTAB', 'other'],
    ['SQLITE_NOTADB', 'other'],
    ['SQLITE_READONLY_DBMOVED', 'other'],
    ['SQLITE_ERROR', 'other'],
  ])('%s is %s, with its code in the detail', (code, kind) => {
    const failure = classify(sqliteError(code))
    expect(failure.kind).toBe(kind)
    expect(failure.detail).toContain(`said SQLite [${code}]`)
  })

  it.each(['no such table: main.events', 'no such column: tags', 'table events has no column named tags'])(
    'knows by %s that the schema is another one',
    (message) => {
      expect(classify(sqliteError('SQLITE_ERROR', message)).kind).toBe('schema')
    },
  )

  it('leaves alone what is not of SQLite', () => {
    expect(classify(new TypeError('said JavaScript'))).toEqual({ kind: 'other', detail: 'said JavaScript' })
    expect(classify('thrown')).toEqual({ kind: 'other', detail: 'thrown' })
    expect(classify(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })).kind).toBe('other')
  })
})

describe('a full database', () => {
  it('refuses appends, says why, and takes them again when there is room', async () => {
    const own = database()
    const store = await migrated({ database: own })
    const full = [{ type: 'happened', data: 'x'.repeat(100_000) }]
    own.pragma(`max_page_count = ${Number(own.pragma('page_count', { simple: true })) + 5}`)
    const failures = await Promise.allSettled([store.append('a', full), store.append('b', full)])
    for (const failure of failures) {
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: { code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' },
      })
      expect(String((failure as PromiseRejectedResult).reason)).toContain('is full')
    }
    own.pragma('max_page_count = 100000')
    expect((await store.append('a', full)).version).toBe(1)
    expect(await store.verify()).toMatchObject({ ok: true, events: 1 })
  })

  it('ends a transaction, also when its work swallows the error', async () => {
    const own = database()
    const store = await migrated({ database: own })
    own.pragma(`max_page_count = ${Number(own.pragma('page_count', { simple: true })) + 5}`)
    const attempt = store.transaction(async (tx) => {
      await tx.append('a', one)
      await tx.append('b', [{ type: 'happened', data: 'x'.repeat(100_000) }]).catch(() => undefined)
      own.pragma('max_page_count = 100000')
      await tx.append('c', one)
    })
    const outcome = await attempt.then(
      () => 'committed',
      () => 'rolled back',
    )
    // whether SQLite ends it or not: all or nothing
    expect(await store.readAll().count()).toBe(outcome === 'committed' ? 2 : 0)
    expect(own.inTransaction).toBe(false)
  })
})

it('a damaged file is told as one', async () => {
  const filename = file()
  const store = open({ filename })
  await store.migrate()
  for (let count = 0; count < 50; count++)
    await store.append('a', [{ type: 'happened', data: 'x'.repeat(2_000) }])
  await store.close()
  const bytes = readFileSync(filename)
  for (let page = 3; page < bytes.length / 4096; page++) bytes.fill(0x5a, page * 4096, page * 4096 + 200)
  writeFileSync(filename, bytes)
  const failure: unknown = await open({ filename })
    .readAll()
    .toArray()
    .catch((error: unknown) => error)
  expect(failure).toSatisfy(isStoreUnavailableError)
  expect(String(failure)).toContain('restore it from a backup')
})

it('a database opened read-only can be read, says so, and refuses appends', async () => {
  const filename = file()
  const store = await migrated({ filename })
  await store.append('a', one)
  const own = new Database(filename, { readonly: true })
  afterwards(() => own.close())
  const reader = open({ database: own })
  expect(await reader.readAll().count()).toBe(1)
  expect(await reader.health()).toMatchObject({ status: 'degraded' })
  await expect(reader.append('a', one)).rejects.toThrow(/read-only/)
})

it('without its tables, the store says that they are missing', async () => {
  const store = open()
  for (const call of [
    () => store.append('a', one),
    () => store.readAll().toArray(),
    () => store.transaction((tx) => tx.append('a', one)),
    () => store.getStream('a'),
    () => store.maintenance(async () => undefined),
  ]) {
    await expect(call()).rejects.toSatisfy(isMigrationError)
  }
  expect((await store.health()).status).toBe('degraded')
})

it('a closed Database of the caller is an error, not a hang', async () => {
  const own = database()
  const store = await migrated({ database: own })
  own.close()
  await expect(store.append('a', one)).rejects.toThrow(/not open/)
  await expect(store.readAll().count()).rejects.toThrow(/not open/)
  await store.close()
})
