import assert from 'node:assert/strict'
import { events, refused, same } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('thrown by the work')

/** The error of the promise, which has to fail. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  return outcome.status === 'rejected' ? outcome.reason : assert.fail('it resolved')
}

export const readModels = topic('read-models', {
  'read-models-commit-with-the-events': async ({ store, opened }) => {
    const model = opened.table('committed_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    await store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'with the event')`)
      same((await opened.query(tx.client, `select note from ${model}`)).length, 1)
    })
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [1, 1],
    )
  },

  'read-models-roll-back-with-the-events': async ({ store, opened }) => {
    const model = opened.table('rolled_back_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    const attempt = store.transaction(async (tx) => {
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'gone')`)
      await tx.append('a', events(1), { expectedVersion: 5 })
    })
    await refused(attempt, 'VARVE_CONCURRENCY')
    const second = store.transaction(async (tx) => {
      await tx.append('a', events(1))
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'gone')`)
      throw failure
    })
    same(await failureOf(second), failure)
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [0, 0],
    )
  },

  'read-models-survive-a-failed-append': async ({ store, opened }) => {
    const model = opened.table('surviving_model')
    await opened.sql(`create table ${model} (id int primary key, note varchar(20))`)
    await store.transaction(async (tx) => {
      await opened.query(tx.client, `insert into ${model} (id, note) values (1, 'before')`)
      await refused(tx.append('a', events(1), { expectedVersion: 5 }), 'VARVE_CONCURRENCY')
      await opened.query(tx.client, `insert into ${model} (id, note) values (2, 'after')`)
      await tx.append('a', events(1))
    })
    same(
      [(await opened.sql(`select note from ${model}`)).length, await store.readStream('a').count()],
      [2, 1],
    )
  },
})
