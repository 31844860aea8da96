import { isInvalidArgumentError, isMigrationError } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { migrate, migrationStates } from '../src/migrate.js'
import { migration, scratch } from './scratch.js'

const streams = migration(
  '0001_streams',
  'create table {{streams}} (id text); create table {{log}} (id text)',
)
const labels = migration('0002_labels', 'create table {{labels}} (id text)')
const both = { files: [streams, labels], tables: ['streams', 'log', 'labels', 'varve_migrations'] }

describe('migrate', () => {
  it('applies what is missing, in order, and records it', async () => {
    const base = scratch(both)
    await migrate(base)
    expect(base.tables()).toEqual(['labels', 'log', 'streams', 'varve_migrations'])
    expect(base.records()).toEqual([
      { name: '0001_streams', checksum: streams.checksum, applied_at: '2024-01-01T00:00:00.000Z' },
      { name: '0002_labels', checksum: labels.checksum, applied_at: '2024-01-01T00:00:00.000Z' },
    ])
  })

  it('costs one query and takes no lock when all is applied', async () => {
    const base = scratch(both)
    await migrate(base)
    base.statements.length = 0
    await migrate(base)
    expect(base.statements).toHaveLength(1)
    expect(base.locks).toBe(1)
  })

  it('adds only what a newer version brings', async () => {
    const base = scratch({ files: [streams], tables: ['streams', 'log'] })
    await migrate(base)
    const newer = scratch({ ...both, database: base.database })
    await migrate(newer)
    expect(newer.tables()).toContain('labels')
    expect(newer.records()).toHaveLength(2)
  })

  it('runs each file once when twenty call at once', async () => {
    const base = scratch(both)
    await Promise.all(Array.from({ length: 20 }, () => migrate(base)))
    expect(base.records()).toHaveLength(2)
    expect(base.locks).toBeGreaterThan(1)
  })

  it('refuses an option that does not exist', async () => {
    const base = scratch(both)
    const options = { index: ['tags'] } as object
    await expect(migrate({ ...base, options })).rejects.toSatisfy(isInvalidArgumentError)
    expect(base.tables()).toEqual([])
  })
})

describe('a migration that fails', () => {
  it('leaves nothing behind where DDL can be rolled back, and names the file', async () => {
    const broken = migration('0002_labels', 'create table {{labels}} (id text); create nonsense')
    const base = scratch({ ...both, files: [streams, broken] })
    const error: unknown = await migrate(base).catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    expect(String(error)).toContain("'0002_labels'")
    expect(base.tables()).toEqual([])
  })

  it('goes on after a kill half-way where DDL commits by itself', async () => {
    const resumable = migration(
      '0001_streams',
      'create table if not exists {{streams}} (id text); create table if not exists {{log}} (id text)',
    )
    const shipped = { ...both, files: [resumable, labels], transactionalDdl: false }
    const killed = scratch({
      ...shipped,
      beforeStatement: (statement) => {
        if (statement.includes('log')) throw new Error('killed')
      },
    })
    await expect(migrate(killed)).rejects.toThrow('killed')
    expect(killed.tables()).toEqual(['streams', 'varve_migrations'])
    expect((await migrationStates(killed)).map(({ state }) => state)).toEqual(['pending', 'pending'])

    const next = scratch({ ...shipped, database: killed.database })
    await migrate(next)
    expect(next.tables()).toEqual(['labels', 'log', 'streams', 'varve_migrations'])
    expect((await migrationStates(next)).map(({ state }) => state)).toEqual(['applied', 'applied'])
  })
})

describe('a database with another history', () => {
  it('is refused when it is newer, naming what is unknown', async () => {
    const newer = scratch(both)
    await migrate(newer)
    const older = scratch({ files: [streams], tables: ['streams', 'log'], database: newer.database })
    const error: unknown = await migrate(older).catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    expect(String(error)).toContain('0002_labels')
    expect(String(error)).toContain(labels.checksum.slice(0, 12))
    expect(older.locks).toBe(0)
  })

  it('is refused when a file was changed, with both checksums, and nothing pending runs', async () => {
    const before = scratch({ files: [streams], tables: ['streams', 'log'] })
    await migrate(before)
    const edited = migration(streams.name, `${streams.sql} -- edited`)
    const after = scratch({ ...both, files: [edited, labels], database: before.database })
    const error: unknown = await migrate(after).catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    for (const text of [streams.name, streams.checksum.slice(0, 12), edited.checksum.slice(0, 12)]) {
      expect(String(error)).toContain(text)
    }
    expect(after.tables()).not.toContain('labels')
  })

  it('is refused when one of the tables is not ours, and left as it was', async () => {
    const base = scratch(both)
    base.database.exec('create table log (theirs text)')
    const error: unknown = await migrate(base).catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    expect(String(error)).toContain("'log'")
    expect(base.tables()).toEqual(['log'])
  })

  it('is refused when a table of a later file is not ours', async () => {
    const before = scratch({ files: [streams], tables: ['streams', 'log'] })
    await migrate(before)
    before.database.exec('create table labels (theirs text)')
    const resumable = migration(labels.name, 'CREATE TABLE IF NOT EXISTS {{labels}}(id text)')
    const after = scratch({ ...both, files: [streams, resumable], database: before.database })
    await expect(migrate(after)).rejects.toThrow("'labels'")
  })

  it('is refused before anything is created, also where DDL commits by itself', async () => {
    const base = scratch({ ...both, transactionalDdl: false })
    base.database.exec('create table labels (theirs text)')
    await expect(migrate(base)).rejects.toThrow("'labels'")
    expect(base.tables()).toEqual(['labels'])
  })

  it('is refused when the table of records is not ours', async () => {
    const base = scratch(both)
    base.database.exec('create table varve_migrations (id integer)')
    const error: unknown = await migrate(base).catch((thrown: unknown) => thrown)
    expect(error).toSatisfy(isMigrationError)
    expect(String(error)).toContain("'varve_migrations'")
  })
})

describe('optional indexes', () => {
  const indexes = { tags: 'create index idx_tags on {{labels}} (id)' }

  it('are created when asked for, once', async () => {
    const base = scratch({ ...both, indexes })
    await migrate(base)
    await migrate({ ...base, options: { indexes: ['tags', 'tags'] } })
    expect(base.locks).toBe(2)
    await migrate({ ...base, options: { indexes: ['tags'] } })
    expect(base.locks).toBe(2)
    const found = base.database
      .prepare("select count(*) as n from sqlite_master where name = 'idx_tags'")
      .get()
    expect(found?.['n']).toBe(1)
  })

  it('are refused by name when there is no such index, before anything runs', async () => {
    const base = scratch({ ...both, indexes })
    const error: unknown = await migrate({ ...base, options: { indexes: ['tag'] } }).catch((e: unknown) => e)
    expect(error).toSatisfy(isInvalidArgumentError)
    expect(String(error)).toContain('known are tags')
    expect(base.tables()).toEqual([])
  })

  it('do not count as migrations that this code does not know', async () => {
    const base = scratch({ ...both, indexes })
    await migrate({ ...base, options: { indexes: ['tags'] } })
    const without = scratch({ ...both, database: base.database })
    await migrate(without)
    expect((await migrationStates(without)).map(({ name }) => name)).toEqual(['0001_streams', '0002_labels'])
  })
})

describe('migrationStates', () => {
  it('says that all is pending on an empty database, without touching it', async () => {
    const base = scratch(both)
    expect(await migrationStates(base)).toEqual([
      { name: '0001_streams', checksum: streams.checksum, state: 'pending' },
      { name: '0002_labels', checksum: labels.checksum, state: 'pending' },
    ])
    expect(base.tables()).toEqual([])
  })

  it('tells applied, changed, pending and unknown apart', async () => {
    const before = scratch(both)
    await migrate(before)
    const edited = migration(labels.name, `${labels.sql} -- edited`)
    const third = migration('0003_more', 'create table {{more}} (id text)')
    const other = migration('0001_other', 'create table {{streams}} (id text)')
    const after = scratch({ ...both, files: [other, edited, third], database: before.database })
    const appliedAt = new Date('2024-01-01T00:00:00.000Z')
    expect(await migrationStates(after)).toEqual([
      { name: '0001_other', checksum: other.checksum, state: 'pending' },
      { name: '0002_labels', checksum: edited.checksum, state: 'changed', appliedAt },
      { name: '0003_more', checksum: third.checksum, state: 'pending' },
      { name: '0001_streams', checksum: streams.checksum, state: 'unknown', appliedAt },
    ])
  })
})
