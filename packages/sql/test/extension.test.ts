import type { EventStore, StoreTransaction } from '@varve/core'
import { isInvalidArgumentError, isMigrationError } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { registerSql, sqlOf } from '../src/extension.js'
import type { SqlExtension } from '../src/extension.js'
import { migrate, migrationStates } from '../src/migrate.js'
import { migration, scratch } from './scratch.js'
import type { Scratch } from './scratch.js'

const jobs = migration('0001_jobs', 'create table {{jobs}} (id text)')
const webhooks: SqlExtension = {
  name: 'webhooks',
  migrations: { postgres: [], mysql: [], sqlite: [jobs] },
  tables: ['jobs'],
}
const own = { files: [migration('0001_streams', 'create table {{streams}} (id text)')], tables: ['streams'] }

function storeOver(base: Scratch, bound = false): EventStore {
  const handle = {} as EventStore
  const lifecycle = { run: async <T>(_: string, work: () => Promise<T>) => work() }
  registerSql(handle, { ...base, lifecycle }, bound)
  return handle
}

describe('sqlOf', () => {
  it('refuses what is no store of ours', () => {
    expect(() => sqlOf({} as EventStore)).toThrow(expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT' }))
  })

  it('gives the driver and the dialect of the store', () => {
    const base = scratch(own)
    const { driver, dialect } = sqlOf(storeOver(base))
    expect(driver).toBe(base.driver)
    expect(dialect).toBe(base.dialect)
  })

  it('gives a session only for transactions of ours', () => {
    const access = sqlOf(storeOver(scratch(own)))
    const foreign = { tenantId: 'default', client: {} } as StoreTransaction
    expect(() => access.session(foreign)).toThrow(expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT' }))
  })

  it("migrates an extension's tables beside the store's, each blind to the other's records", async () => {
    const base = scratch(own)
    const access = sqlOf(storeOver(base))
    expect((await access.state(webhooks)).map(({ state }) => state)).toEqual(['pending'])
    await access.migrate(webhooks)
    await migrate(base)
    await access.migrate(webhooks)
    expect(base.tables()).toEqual(['jobs', 'streams', 'varve_migrations'])
    expect(await access.state(webhooks)).toEqual([
      { name: 'webhooks/0001_jobs', checksum: jobs.checksum, state: 'applied', appliedAt: expect.any(Date) },
    ])
    expect((await migrationStates(base)).map(({ name, state }) => [name, state])).toEqual([
      ['0001_streams', 'applied'],
    ])
  })

  it("refuses a foreign table that bears the name of an extension's", async () => {
    const base = scratch(own)
    await migrate(base)
    base.database.exec('create table jobs (theirs text)')
    await expect(sqlOf(storeOver(base)).migrate(webhooks)).rejects.toSatisfy(isMigrationError)
  })

  it('migrates nothing through a handle that is bound to a tenant', async () => {
    const base = scratch(own)
    await expect(sqlOf(storeOver(base, true)).migrate(webhooks)).rejects.toSatisfy(isInvalidArgumentError)
    expect(base.tables()).toEqual([])
  })

  it.each(['index', 'web/hooks', '', 'Webhooks', '0001'])(
    'refuses %j as the name of an extension',
    async (name) => {
      const access = sqlOf(storeOver(scratch(own)))
      await expect(access.migrate({ ...webhooks, name })).rejects.toSatisfy(isInvalidArgumentError)
    },
  )

  it('refuses an extension that has nothing for the engine', async () => {
    const access = sqlOf(storeOver(scratch(own)))
    const extension = {
      ...webhooks,
      migrations: { postgres: [jobs], mysql: [jobs] },
    } as unknown as SqlExtension
    await expect(access.migrate(extension)).rejects.toThrow('no migrations for sqlite')
  })
})
