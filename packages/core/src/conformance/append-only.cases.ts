import assert from 'node:assert/strict'
import { at, event, events, idsOf, same, upTo } from './helpers.js'
import { topic } from './topic.js'

// what the driver throws is its own business
const anyError = Error

const rich = () =>
  event(
    'tested',
    { z: 1, a: { é: [1.5, -0, 1e21, 'ü\u2028"\\'], '\u{1f600}': null, '\ufb33': true } },
    {
      metadata: { b: 1, a: '2' },
      tags: ['b', 'a'],
      correlationId: 'c',
      causationId: 'd',
      createdBy: 'e',
      schemaVersion: 3,
      occurredAt: new Date('2001-02-03T04:05:06.007Z'),
    },
  )

export const appendOnly = topic('append-only', {
  'the-database-refuses-to-change-events': async ({ store, opened }) => {
    const { events: stored } = await store.append('a', [rich(), rich()])
    const table = opened.table('events')
    const { position } = at(stored, 0)
    const own = [
      `update ${table} set event_type = 'forged' where position = ${position}`,
      `update ${table} set event_data = '{}'`,
      `update ${table} set position = position + 1000000 where position = ${position}`,
      `delete from ${table} where position = ${position}`,
      `delete from ${table}`,
    ]
    assert.ok(opened.forbidden.length > 0, 'the harness names what its engine has besides')
    for (const statement of [...own, ...opened.forbidden]) {
      await assert.rejects(async () => opened.sql(statement), anyError, statement)
      const inTransaction = store.transaction((tx) => opened.query(tx.client, statement))
      await assert.rejects(inTransaction, anyError, `in a transaction: ${statement}`)
    }
    same(await store.readStream('a').toArray(), stored)
    same((await store.verify()).problems, [])
  },

  'maintenance-opens-the-door': async ({ store, opened }) => {
    const { events: stored } = await store.append('a', events(3))
    const value = await store.maintenance(async (tx) => {
      same(tx.tenantId, store.tenantId)
      await opened.query(
        tx.client,
        `delete from ${opened.table('events')} where position = ${at(stored, 2).position}`,
      )
      return 'done'
    })
    same([value, idsOf(await store.readStream('a').toArray())], ['done', idsOf(stored.slice(0, 2))])
  },

  'maintenance-closes-the-door-behind-it': async ({ store, opened }) => {
    const { events: stored } = await store.append('a', events(2))
    const statement = `delete from ${opened.table('events')} where position = ${at(stored, 0).position}`
    await store.maintenance(async () => undefined)
    const attempts = upTo(8).map(() => store.transaction((tx) => opened.query(tx.client, statement)))
    for (const { status } of await Promise.allSettled(attempts)) same(status, 'rejected')
    await assert.rejects(async () => opened.sql(statement))
    same(await store.readStream('a').toArray(), stored)
  },

  'maintenance-rolls-back-on-an-error-and-closes-the-door': async ({ store, opened }) => {
    const { events: stored } = await store.append('a', events(2))
    const statement = `delete from ${opened.table('events')} where position = ${at(stored, 0).position}`
    const failure = new Error('thrown by the work')
    const attempt = store.maintenance(async (tx) => {
      await opened.query(tx.client, statement)
      throw failure
    })
    await assert.rejects(attempt, (error) => error === failure)
    same(await store.readStream('a').toArray(), stored)
    const after = upTo(8).map(() => store.transaction((tx) => opened.query(tx.client, statement)))
    for (const { status } of await Promise.allSettled(after)) same(status, 'rejected')
    same(await store.readStream('a').count(), 2)
  },
})
