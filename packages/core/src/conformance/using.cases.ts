import type { CaseContext } from './context.js'
import type { OwnTransaction } from './harness.js'
import { events, holds, refused, same } from './helpers.js'
import { topic } from './topic.js'

/** A transaction of the caller's own, rolled back when the case leaves it open. */
async function begun({ opened, defer }: CaseContext): Promise<OwnTransaction> {
  const own = await opened.begin()
  let open = true
  const end = (how: () => Promise<void>) => async (): Promise<void> => {
    if (!open) return
    open = false
    await how()
  }
  const transaction = {
    client: own.client,
    commit: end(() => own.commit()),
    rollback: end(() => own.rollback()),
  }
  defer(transaction.rollback)
  return transaction
}

export const using = topic('using', {
  'commits-with-the-callers-transaction': async (t) => {
    const { store } = t
    const [first, second] = [events(2), events(1)]
    const own = await begun(t)
    const tx = store.using(own.client)
    same(tx.tenantId, store.tenantId)
    const one = await tx.append('a', first, { expectedVersion: 'no-stream', streamType: 'account' })
    const [two] = await tx.appendMany([
      { streamId: 'b', events: second },
      { streamId: 'c', events: [], expectedVersion: 0 },
    ])
    await own.commit()
    same(await store.readAll().toArray(), [...one.events, ...(two?.events ?? [])])
    await holds(store, 'a', first)
    same(((await store.readAll().last())?.position ?? 0) <= (await store.settledPosition()), true)
  },

  'rolls-back-with-the-callers-transaction': async (t) => {
    const own = await begun(t)
    await t.store.using(own.client).append('a', events(2))
    await own.rollback()
    same([await t.store.readStream('a').count(), await t.store.getStream('a')], [0, undefined])
    same((await t.store.append('a', events(1), { expectedVersion: 0 })).version, 1)
  },

  'is-not-seen-before-the-commit': async (t) => {
    const other = await t.another()
    const own = await begun(t)
    const { events: appended } = await t.store.using(own.client).append('a', events(2))
    same([await other.readStream('a').count(), await other.getStream('a')], [0, undefined])
    await own.commit()
    same(await other.readAll().toArray(), appended)
  },

  'reads-its-own-writes': async (t) => {
    await t.store.append('a', events(1))
    const own = await begun(t)
    const tx = t.store.using(own.client)
    const { events: appended } = await tx.append('a', events(1))
    same(await tx.readStream('a', { fromVersion: 2 }).toArray(), appended)
    same((await tx.getStream('a'))?.version, 2)
    await own.commit()
  },

  'stays-usable-after-a-failed-append': async (t) => {
    const [stored, kept] = [events(1), events(2)]
    await t.store.append('a', stored)
    const own = await begun(t)
    const tx = t.store.using(own.client)
    await tx.append('b', kept.slice(0, 1))
    await refused(tx.append('a', events(1), { expectedVersion: 0 }), 'VARVE_CONCURRENCY', {
      actualVersion: 1,
    })
    await refused(tx.append('new', stored), 'VARVE_DUPLICATE_EVENT')
    await refused(tx.append('a', []), 'VARVE_INVALID_EVENT')
    await tx.append('b', kept.slice(1), { expectedVersion: 1 })
    await own.commit()
    await holds(t.store, 'b', kept)
    same(await t.store.getStream('new'), undefined)
  },

  'recognises-repetitions': async (t) => {
    const batch = events(2)
    const original = await t.store.append('a', batch)
    const own = await begun(t)
    same(await t.store.using(own.client).append('a', batch, { expectedVersion: 0 }), {
      ...original,
      duplicate: true,
    })
    await own.commit()
    await holds(t.store, 'a', batch)
  },

  'shares-the-transaction-with-tables-of-the-caller': async (t) => {
    const { opened, store } = t
    const model = opened.table('used_model')
    await opened.sql(`create table ${model} (id int primary key)`)
    for (const [id, end] of [
      [1, 'rollback'],
      [2, 'commit'],
    ] as const) {
      const own = await begun(t)
      await opened.query(own.client, `insert into ${model} (id) values (${id})`)
      await store.using(own.client).append(`a-${id}`, events(1))
      await own[end]()
    }
    same(
      (await opened.sql(`select id from ${model}`)).map(({ id }) => Number(id)),
      [2],
    )
    same([await store.readStream('a-1').count(), await store.readStream('a-2').count()], [0, 1])
  },

  'handles-on-one-client-do-not-undo-each-other': async (t) => {
    const own = await begun(t)
    const kept = events(1)
    const [stored, missed, after] = await Promise.allSettled([
      t.store.using(own.client).append('a', kept),
      t.store.using(own.client).append('b', events(2), { expectedVersion: 5 }),
      t.store.using(own.client).append('c', events(1)),
    ])
    same([stored.status, missed.status, after.status], ['fulfilled', 'rejected', 'fulfilled'])
    await own.commit()
    await holds(t.store, 'a', kept)
    same([await t.store.getStream('b'), await t.store.readStream('c').count()], [undefined, 1])
  },

  'may-be-called-twice-on-one-client': async (t) => {
    const own = await begun(t)
    await t.store.using(own.client).append('a', events(1))
    await t.store.using(own.client).append('a', events(1), { expectedVersion: 1 })
    await own.commit()
    same(await t.store.readStream('a').count(), 2)
  },
})
