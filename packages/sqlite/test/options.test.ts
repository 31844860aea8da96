import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isMigrationError, isStoreUnavailableError, openEventStore } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { adapter, createSqliteEventStore } from '../src/index.js'
import { optionsOfUrl } from '../src/url.js'
import { one, useStores } from './stores.js'

const { file, open, migrated, database, afterwards } = useStores()

describe('options', () => {
  it.each<[string, object]>([
    ['filname', { filname: 'a.db' }],
    ['filename', { filename: '' }],
    ['filename', { filename: 5 }],
    ['filename', { filename: 'a\0b' }],
    ['filename', { filename: '/no/such/folder/events.db' }],
    ['synchronous', { synchronous: 'OFF' }],
    ['tablePrefix', { tablePrefix: 'a-b' }],
    ['tablePrefix', { tablePrefix: '1a' }],
    ['tablePrefix', { tablePrefix: 'sqlite_a' }],
    ['tablePrefix', { tablePrefix: 'a'.repeat(41) }],
    ['database', { database: {} }],
    ['database', { database: 'events.db' }],
    ['acquireTimeoutMs', { acquireTimeoutMs: -1 }],
  ])('%s is refused: %j', (argument, options) => {
    const attempt = () => createSqliteEventStore(options)
    expect(attempt).toThrow(expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT', argument }))
  })

  it('a Database is refused beside what it has itself, and when it is closed', () => {
    const own = database()
    expect(() => open({ database: own, filename: 'a.db' })).toThrow(isInvalidArgumentErrorOf('filename'))
    expect(() => open({ database: own, synchronous: 'FULL' })).toThrow(
      isInvalidArgumentErrorOf('synchronous'),
    )
    own.close()
    expect(() => open({ database: own })).toThrow(isInvalidArgumentErrorOf('database'))
  })

  it('a folder is no file', () => {
    const folder = file()
    mkdirSync(folder)
    expect(() => open({ filename: folder })).toThrow(expect.objectContaining({ code: 'VARVE_UNAVAILABLE' }))
  })

  it.each([
    ['FULL', 2],
    ['NORMAL', 1],
    [undefined, 2],
  ] as const)(
    'a file is written with synchronous = %s, also when it is opened again',
    async (synchronous, level) => {
      const filename = file()
      for (let round = 0; round < 2; round++) {
        const store = createSqliteEventStore({ filename, ...(synchronous !== undefined && { synchronous }) })
        await store.migrate()
        const read = await store.transaction(async ({ client }) => [
          client.pragma('journal_mode', { simple: true }),
          client.pragma('synchronous', { simple: true }),
        ])
        expect(read).toEqual(['wal', level])
        await store.close()
      }
    },
  )

  it('prefixes keep stores in one database apart', async () => {
    const own = database()
    const prefixes = ['', 'a_', 'b_']
    const stores = await Promise.all(prefixes.map((tablePrefix) => migrated({ database: own, tablePrefix })))
    for (const [index, store] of stores.entries()) {
      for (let count = 0; count <= index; count++) await store.append('a', one)
    }
    expect(await Promise.all(stores.map((store) => store.readAll().count()))).toEqual([1, 2, 3])
    expect(() => own.exec('delete from b_events')).toThrow(/append-only/)
    const names = own
      .prepare("select name from sqlite_schema where name not like 'sqlite_%'")
      .pluck()
      .all() as string[]
    const unprefixed = names.filter((name) => !/^[ab]_/.test(name))
    for (const prefix of prefixes)
      expect(names).toEqual(expect.arrayContaining(unprefixed.map((name) => `${prefix}${name}`)))
  })
})

describe('migrate', () => {
  it.each([
    ['a view', 'create view events as select 1 as theirs'],
    ['a table in capitals', 'create table EVENTS (theirs text)'],
    ['a table of tags', 'create table event_tags (theirs text)'],
    ['an index', 'create table theirs (a); create index v_recent_events on theirs (a)'],
  ])('refuses %s that bears one of the names', async (_, sql) => {
    const own = database()
    own.exec(sql)
    const before = own.prepare('select sql from sqlite_schema').all()
    await expect(open({ database: own }).migrate()).rejects.toSatisfy(isMigrationError)
    expect(own.prepare('select sql from sqlite_schema').all()).toEqual(before)
  })

  it('leaves nothing behind when an index of another table bears one of its names', async () => {
    const own = database()
    own.exec('create table theirs (a); create index idx_events_type on theirs (a)')
    await expect(open({ database: own }).migrate()).rejects.toThrow(/idx_events_type/)
    expect(own.prepare('select count(*) from sqlite_schema').pluck().get()).toBe(2)
  })

  it('refuses a database in another encoding', async () => {
    const own = database()
    own.pragma("encoding = 'UTF-16le'")
    await expect(open({ database: own }).migrate()).rejects.toThrow(/UTF-16le.*UTF-8/)
  })

  it('refuses what is no database', async () => {
    const filename = file()
    writeFileSync(filename, 'something else entirely, and longer than the header of a database, '.repeat(20))
    const failure: unknown = await open({ filename })
      .migrate()
      .catch((error: unknown) => error)
    expect(failure).toSatisfy(isStoreUnavailableError)
    expect(String(failure)).toContain('no SQLite database')
  })
})

describe('URLs', () => {
  it.each([
    ['sqlite::memory:', { filename: ':memory:' }],
    ['sqlite:./events.db', { filename: './events.db' }],
    ['sqlite:events.db', { filename: 'events.db' }],
    ['sqlite:../a b/ä.db', { filename: '../a b/ä.db' }],
    ['sqlite:/var/lib/events.db', { filename: '/var/lib/events.db' }],
    ['sqlite:///var/lib/events.db', { filename: '/var/lib/events.db' }],
    ['sqlite:///C:/data/events.db', { filename: 'C:/data/events.db' }],
    ['sqlite:./a%20b%23%3F%25.db', { filename: './a b#?%.db' }],
    ['SQLITE:./events.db?synchronous=normal', { filename: './events.db', synchronous: 'NORMAL' }],
  ])('%s', (url, options) => {
    expect(optionsOfUrl(url)).toEqual(options)
  })

  it.each([
    'sqlite:',
    'sqlite://',
    'sqlite://events.db',
    'sqlite:./a#b.db',
    'sqlite:./100%.db',
    'sqlite:./a.db?mode=ro',
  ])('%s is refused', (url) => {
    expect(() => optionsOfUrl(url)).toThrow(isInvalidArgumentErrorOf('url'))
  })

  it('open stores', async () => {
    const filename = file()
    const urls = [
      `sqlite:${filename}`,
      `sqlite://${filename}?synchronous=NORMAL`,
      new URL(`sqlite://${filename}`),
    ]
    for (const url of urls) {
      const store = await openEventStore(url, { adapters: [adapter], tenantId: 'shop' })
      await store.migrate()
      await store.append('a', one)
      await store.close()
    }
    const store = open({ filename, tenantId: 'shop' })
    expect(await store.readAll().count()).toBe(urls.length)
    const memory = await openEventStore('sqlite::memory:?tablePrefix=a_', { adapters: [adapter] })
    afterwards(() => memory.close())
    await memory.migrate()
    expect((await memory.append('a', one)).version).toBe(1)
  })

  it('keep a relative path relative to the working directory', async () => {
    const filename = file()
    const before = process.cwd()
    afterwards(() => process.chdir(before))
    process.chdir(dirname(filename))
    const store = await openEventStore('sqlite:./relative.db', { adapters: [adapter] })
    await store.migrate()
    await store.close()
    expect(realpathSync('relative.db')).toBe(realpathSync(join(dirname(filename), 'relative.db')))
  })
})

function isInvalidArgumentErrorOf(argument: string) {
  return expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT', argument }) as Error
}
