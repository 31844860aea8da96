import assert from 'node:assert/strict'
import type { RecordedEvent } from '../event.js'
import { defineProjection } from '../projection/define-projection.js'
import type { ProjectionTransaction } from '../projection/projection.js'
import type { CaseContext } from './context.js'
import type { OpenedStore } from './harness.js'
import { at, event, events, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

const failure = new Error('refused by the inline projection')

/** A store whose appends are noted by an inline projection; data `{ bad: true }` fails after it has written. */
async function inlineStore({
  fresh,
}: CaseContext): Promise<{ opened: OpenedStore; rows: () => Promise<string[]> }> {
  let opened: OpenedStore | undefined
  const note = async (one: RecordedEvent, tx: ProjectionTransaction): Promise<void> => {
    assert.ok(opened !== undefined)
    const columns = '(position, stream_id, version)'
    const values = `(${one.position}, '${one.streamId}', ${one.version})`
    await opened.query(tx.client, `insert into ${opened.table('inline_model')} ${columns} values ${values}`)
    if ((one.data as { bad?: boolean }).bad === true) throw failure
  }
  opened = await fresh({ inline: [defineProjection({ name: 'inline', handles: { tested: note } })] })
  const store = opened
  await store.sql(
    `create table ${store.table('inline_model')} (position bigint not null primary key, stream_id varchar(50) not null, version int not null)`,
  )
  return {
    opened: store,
    rows: async () => {
      const found = await store.sql(
        `select stream_id, version from ${store.table('inline_model')} order by position`,
      )
      return found.map((row) => `${String(row['stream_id'])}/${String(row['version'])}`)
    },
  }
}

async function outcomeOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
}

export const inline = topic('inline', {
  'the-model-is-there-when-append-resolves': async (context) => {
    const { opened, rows } = await inlineStore(context)
    await opened.store.append('a', [event(), event('other'), event()])
    same(await rows(), ['a/1', 'a/3'])
    await opened.store.appendMany([
      { streamId: 'b', events: events(1) },
      { streamId: 'a', events: [], expectedVersion: 3 },
    ])
    same(await rows(), ['a/1', 'a/3', 'b/1'])
  },

  'an-error-fails-its-own-append-only': async (context) => {
    const { opened, rows } = await inlineStore(context)
    const { store } = opened
    const outcomes = await Promise.all(
      upTo(20).map((n) =>
        outcomeOf(store.append(`s-${n % 5}`, [event('tested', n % 4 === 0 ? { bad: true } : {})])),
      ),
    )
    same(
      outcomes.map((outcome) => outcome === failure),
      upTo(20).map((n) => n % 4 === 0),
    )
    same(
      outcomes.filter((outcome) => outcome !== undefined && outcome !== failure),
      [],
    )
    same([(await rows()).length, await store.readAll().count()], [15, 15])
    same((await store.verify()).problems, [])
  },

  'a-transaction-outlives-it': async (context) => {
    const { opened, rows } = await inlineStore(context)
    await opened.store.transaction(async (tx) => {
      await tx.append('a', events(1))
      same(await outcomeOf(tx.append('a', [event('tested', { bad: true })])), failure)
      await tx.append('a', events(1))
    })
    same(await rows(), ['a/1', 'a/2'])
    await outcomeOf(
      opened.store.transaction(async (tx) => {
        await tx.append('a', events(1))
        throw failure
      }),
    )
    same(await rows(), ['a/1', 'a/2'])
  },

  'a-repetition-is-not-applied-again': async (context) => {
    const { opened, rows } = await inlineStore(context)
    const batch = events(2)
    await opened.store.append('a', batch)
    same((await opened.store.append('a', batch)).duplicate, true)
    same(await rows(), ['a/1', 'a/2'])
  },

  'expectations-and-order-hold': async (context) => {
    const { opened, rows } = await inlineStore(context)
    const { store } = opened
    await Promise.all(upTo(30).map((n) => store.append('a', events(1), { expectedVersion: n - 1 })))
    same(
      await rows(),
      upTo(30).map((n) => `a/${n}`),
    )
    await refused(store.append('a', events(1), { expectedVersion: 3 }), 'VARVE_CONCURRENCY')
    same((await rows()).length, 30)
  },

  'takes-batches-and-all-tenants': async (context) => {
    const seen: RecordedEvent[][] = []
    const batch = (list: readonly RecordedEvent[]) => void seen.push([...list])
    const opened = await context.fresh({
      inline: [defineProjection({ name: 'batches', types: ['tested'], batch })],
    })
    await opened.store.append('a', [event(), event('other'), event()])
    await opened.store.forTenant('t-2').append('a', events(1))
    await opened.store.append('a', [event('other')])
    same(
      seen.map((list) => list.map(({ tenantId, version }) => `${tenantId}/${version}`)),
      [[`${opened.store.tenantId}/1`, `${opened.store.tenantId}/3`], ['t-2/1']],
    )
    assert.ok(at(at(seen, 0), 0).position > 0)
  },
})
