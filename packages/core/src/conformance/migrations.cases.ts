import assert from 'node:assert/strict'
import { at, events, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const migrations = topic('migrations', {
  'are-applied-after-migrate': async ({ opened: { store } }) => {
    const states = await store.migrations()
    assert.ok(states.length > 0)
    for (const { name, checksum, state, appliedAt } of states) {
      same(
        [state, appliedAt instanceof Date, name.length > 0, checksum.length > 0],
        ['applied', true, true, true],
      )
    }
    same(new Set(states.map(({ name }) => name)).size, states.length)
  },

  'are-pending-before-migrate': async ({ fresh, opened }) => {
    const { store } = await fresh({ migrated: false })
    const states = await store.migrations()
    same(
      states.map(({ name, checksum, state }) => ({ name, checksum, state })),
      (await opened.store.migrations()).map(({ name, checksum }) => ({ name, checksum, state: 'pending' })),
    )
    for (const state of states) assert.ok(!('appliedAt' in state))
    await store.migrate()
    for (const { state } of await store.migrations()) same(state, 'applied')
    same((await store.append('a', events(1))).version, 1)
  },

  'are-needed-before-anything-else': async ({ fresh }) => {
    const { store } = await fresh({ migrated: false })
    await refused(store.append('a', events(1)), 'VARVE_MIGRATION')
    await refused(() => store.readAll().toArray(), 'VARVE_MIGRATION')
    await store.migrate()
    same((await store.append('a', events(1))).version, 1)
  },

  'may-run-again': async ({ fresh }) => {
    const { store } = await fresh()
    const { events: stored } = await store.append('a', events(2))
    const before = await store.migrations()
    await store.migrate()
    await store.migrate()
    same(await store.migrations(), before)
    same(await store.readAll().toArray(), stored)
    same((await store.append('a', events(1))).version, 3)
  },

  'may-run-in-many-processes-at-once': async ({ fresh }) => {
    const opened = await fresh({ migrated: false })
    const stores = [opened.store, ...(await Promise.all(upTo(3).map(() => opened.another())))]
    await Promise.all([...stores, ...stores, ...stores, ...stores, ...stores].map((store) => store.migrate()))
    const states = await opened.store.migrations()
    for (const { state } of states) same(state, 'applied')
    for (const store of stores) same(await store.migrations(), states)
    await Promise.all(stores.map((store) => store.append('a', events(1))))
    same(await opened.store.readStream('a').count(), 4)
  },

  'may-run-while-others-append': async ({ fresh }) => {
    const opened = await fresh()
    const other = await opened.another()
    await Promise.all([
      ...upTo(10).map(() => opened.store.append('a', events(1))),
      other.migrate(),
      other.migrate(),
    ])
    same(await other.readStream('a').count(), 10)
  },

  'refuse-a-database-that-is-newer': async ({ fresh }) => {
    const opened = await fresh()
    const table = opened.table('varve_migrations')
    const last = at(await opened.store.migrations(), -1)
    await opened.tamper(`update ${table} set name = '9999_from_the_future' where name = '${last.name}'`)
    const other = await opened.another()
    const states = new Map((await other.migrations()).map(({ name, state }) => [name, state]))
    same([states.get('9999_from_the_future'), states.get(last.name)], ['unknown', 'pending'])
    await refused(() => other.migrate(), 'VARVE_MIGRATION')
  },

  'refuse-a-migration-that-was-changed': async ({ fresh }) => {
    const opened = await fresh()
    const table = opened.table('varve_migrations')
    const first = at(await opened.store.migrations(), 0)
    await opened.tamper(
      `update ${table} set checksum = '${first.checksum.replace(/./g, '0')}' where name = '${first.name}'`,
    )
    const other = await opened.another()
    const states = new Map((await other.migrations()).map(({ name, state }) => [name, state]))
    same(states.get(first.name), 'changed')
    await refused(() => other.migrate(), 'VARVE_MIGRATION')
  },

  'refuse-a-foreign-table-of-the-same-name': async ({ fresh }) => {
    for (const name of ['events', 'event_streams']) {
      const opened = await fresh({ migrated: false })
      await opened.sql(`create table ${opened.table(name)} (a int)`)
      await opened.sql(`insert into ${opened.table(name)} (a) values (1)`)
      await refused(() => opened.store.migrate(), 'VARVE_MIGRATION')
      same(
        (await opened.sql(`select a from ${opened.table(name)}`)).map(({ a }) => Number(a)),
        [1],
      )
    }
  },

  'refuse-nonsense': async ({ opened: { store } }) => {
    await refused(() => store.migrate({ index: ['a'] } as object), 'VARVE_INVALID_ARGUMENT')
    await refused(
      () => store.migrate({ indexes: ['no-such-index'] }),
      ['VARVE_INVALID_ARGUMENT', 'VARVE_MIGRATION'],
    )
  },
})
