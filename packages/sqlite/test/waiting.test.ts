import { setImmediate } from 'node:timers/promises'
import { isInvalidArgumentError } from '@varve/core'
import type { StoreTransaction } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { one, useStores } from './stores.js'

const { file, open, migrated, database } = useStores()

/** Long enough for everything that does not wait for somebody. */
async function aFewTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate()
}

/** Notes the names of promises in the order in which they are settled. */
function noting() {
  const order: string[] = []
  const note = <T>(name: string, promise: Promise<T>): Promise<T> => promise.finally(() => order.push(name))
  return { order, note }
}

describe('while a transaction of the store is open', () => {
  it('calls from elsewhere wait for its end, writers in their order', async () => {
    const store = await migrated()
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const { order, note } = noting()
    const held = note(
      'transaction',
      store.transaction(async (tx) => {
        await tx.append('a', one)
        begun.resolve()
        await gate.promise
      }),
    )
    await begun.promise
    const others = [
      note(
        'first writer',
        store.transaction((tx) => tx.append('b', one)),
      ),
      note(
        'second writer',
        store.transaction((tx) => tx.append('c', one)),
      ),
      note('reader', store.readStream('a').count()),
    ]
    await aFewTurns()
    expect(order).toEqual([])
    gate.resolve()
    await Promise.all([held, ...others])
    expect(await others[2]).toBe(1)
    expect(order.indexOf('first writer')).toBeLessThan(order.indexOf('second writer'))
    expect(order.indexOf('reader')).toBeLessThan(order.indexOf('first writer'))
  })

  it('nothing of it is seen by a read that waited, when it is rolled back', async () => {
    const store = await migrated()
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const held = store.transaction(async (tx) => {
      await tx.append('a', one)
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    const read = store.readAll().toArray()
    gate.reject(new Error('rolled back'))
    await expect(held).rejects.toThrow('rolled back')
    expect(await read).toEqual([])
  })

  it.each([
    ['append', (store) => store.append('b', one)],
    ['appendMany', (store) => store.appendMany([{ streamId: 'b', events: one }])],
    ['readStream', (store) => store.readStream('a').toArray()],
    ['readAll', (store) => store.readAll().toArray()],
    ['getStream', (store) => store.getStream('a')],
    ['archiveStream', (store) => store.archiveStream('a')],
    ['transaction', (store) => store.transaction(async () => undefined)],
    ['maintenance', (store) => store.maintenance(async () => undefined)],
    ['migrate', (store) => store.migrate()],
    ['statistics', (store) => store.statistics()],
  ] satisfies [string, (store: Awaited<ReturnType<typeof migrated>>) => Promise<unknown>][])(
    'store.%s from inside it is an error at once',
    async (_, call) => {
      const store = await migrated()
      const failure = await store.transaction(async (tx) => {
        await tx.append('a', one)
        return call(store).catch((error: unknown) => error)
      })
      expect(failure).toSatisfy(isInvalidArgumentError)
      expect(String(failure)).toContain('tx.append')
      expect(await store.readAll().count()).toBe(1)
    },
  )

  it('a call of another store on the same Database from inside it is an error too', async () => {
    const shared = database()
    const store = await migrated({ database: shared })
    const other = await migrated({ database: shared, tablePrefix: 'other_' })
    const failure = await store.transaction(() => other.append('a', one).catch((error: unknown) => error))
    expect(failure).toSatisfy(isInvalidArgumentError)
    await other.append('a', one)
    expect([await store.readAll().count(), await other.readAll().count()]).toEqual([0, 1])
  })

  it('stores on other databases can be used inside it, and it inside theirs', async () => {
    const [store, other] = [await migrated(), await migrated()]
    await store.transaction(async (tx) => {
      await other.transaction(async (inner) => {
        await inner.append('a', one)
        await tx.append('a', one)
        await expect(store.append('a', one)).rejects.toSatisfy(isInvalidArgumentError)
        await expect(other.append('a', one)).rejects.toSatisfy(isInvalidArgumentError)
      })
      await other.append('a', one)
    })
    expect([await store.readAll().count(), await other.readAll().count()]).toEqual([1, 2])
  })

  it('what it leaves running may call the store once it has ended', async () => {
    const store = await migrated()
    const gate = Promise.withResolvers<void>()
    let later: Promise<unknown> | undefined
    await store.transaction(async (tx) => {
      await tx.append('a', one)
      later = gate.promise.then(() => store.append('a', one))
    })
    gate.resolve()
    await expect(later).resolves.toMatchObject({ version: 2 })
  })

  it('a call that has waited too long says for what', async () => {
    const store = await migrated({ acquireTimeoutMs: 20, retry: false })
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const held = store.transaction(async () => {
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    const calls = [store.append('a', one), store.readAll().count(), store.transaction(async () => undefined)]
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'VARVE_UNAVAILABLE' } })
      expect(String((outcome as PromiseRejectedResult).reason)).toMatch(
        /transaction of this store has been open/,
      )
    }
    gate.resolve()
    await held
    expect((await store.append('a', one)).version).toBe(1)
  })
})

describe('while the caller has a transaction open by hand on the same Database', () => {
  it.each(['memory', 'file'])(
    'calls of the store wait for its end and see nothing of it: %s',
    async (where) => {
      const own = database(where === 'memory' ? ':memory:' : file())
      const store = await migrated({ database: own })
      own.exec('begin')
      await store.using(own).append('a', one)
      const { order, note } = noting()
      const calls = [
        note('append', store.append('b', one)),
        note(
          'transaction',
          store.transaction((tx) => tx.append('c', one)),
        ),
        note('read', store.readStream('a').count()),
        note(
          'archive',
          store.archiveStream('a').catch((error: unknown) => error),
        ),
      ]
      await aFewTurns()
      expect(order).toEqual([])
      own.exec('rollback')
      const [, , read, archived] = await Promise.all(calls)
      expect([read, (archived as { code?: string }).code]).toEqual([0, 'VARVE_STREAM_NOT_FOUND'])
      expect(await store.readAll().count()).toBe(2)
    },
  )

  it('a call that has waited too long says for what', async () => {
    const own = database()
    const store = await migrated({ database: own, acquireTimeoutMs: 20, retry: false })
    own.exec('begin')
    const calls = [store.append('a', one), store.readAll().count()]
    for (const outcome of await Promise.allSettled(calls)) {
      const reason = { outcome: 'not-applied', blocker: { detail: expect.stringMatching(/begun by hand/) } }
      expect(outcome).toMatchObject({ status: 'rejected', reason })
    }
    own.exec('commit')
    expect((await store.append('a', one)).version).toBe(1)
  })

  it('an iterator of theirs makes writers wait as well', async () => {
    const own = database()
    const store = await migrated({ database: own })
    await store.append('a', one)
    const rows = own.prepare('select position from events').iterate()
    rows.next()
    const append = store.append('a', one)
    await aFewTurns()
    rows.return?.()
    expect((await append).version).toBe(2)
  })
})

describe('using', () => {
  it('accepts only the Database of the store', async () => {
    const store = await migrated({ database: database() })
    const other = database()
    other.exec('begin')
    expect(() => store.using(other)).toThrow(/the very Database/)
    const owning = await migrated()
    expect(() => owning.using(other)).toThrow(/the very Database/)
  })

  it('needs a transaction, and one of the caller', async () => {
    const own = database()
    const store = await migrated({ database: own })
    const tx = store.using(own)
    await expect(tx.append('a', one)).rejects.toThrow(/a transaction that you began/)
    own.exec('begin')
    await tx.append('a', one)
    own.exec('commit')
    await expect(tx.append('a', one)).rejects.toThrow(/a transaction that you began/)
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const held = store.transaction(async () => {
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    await expect(tx.append('a', one)).rejects.toThrow(/one of the store itself/)
    gate.resolve()
    await held
    expect(await store.readAll().count()).toBe(1)
  })
})

describe('a transaction', () => {
  it('that its own work has ended is an error, and nothing more is written', async () => {
    const store = await migrated()
    let inside: StoreTransaction | undefined
    const attempt = store.transaction(async (tx) => {
      inside = tx
      await tx.append('a', one)
      tx.client.exec('rollback')
      await expect(tx.append('b', one)).rejects.toSatisfy(isInvalidArgumentError)
    })
    await expect(attempt).rejects.toThrow(/ended before its work returned/)
    await expect(inside?.append('c', one)).rejects.toSatisfy(isInvalidArgumentError)
    expect(await store.readAll().count()).toBe(0)
    expect((await store.append('a', one)).version).toBe(1)
  })

  it('is rolled back also when its work leaves an iterator open', async () => {
    const own = database()
    const store = await migrated({ database: own, acquireTimeoutMs: 50 })
    const failure = new Error('thrown by the work')
    for (const thrown of [failure, undefined]) {
      let rows: IterableIterator<unknown> | undefined
      const attempt = store.transaction(async (tx) => {
        await tx.append('a', one)
        rows = tx.client.prepare('select position from events union all select 0').iterate()
        rows.next()
        if (thrown !== undefined) throw thrown
      })
      await expect(attempt).rejects.toThrow(thrown?.message ?? /an iterator .* is still open/)
      expect(own.inTransaction).toBe(false)
      expect(await store.readAll().count()).toBe(0)
      rows?.return?.()
    }
    expect((await store.append('a', one)).version).toBe(1)
  })

  it('whose commit is refused is rolled back', async () => {
    const own = database()
    const store = await migrated({ database: own })
    own.exec('create table parent (id integer primary key)')
    own.exec('create table child (parent integer references parent (id) deferrable initially deferred)')
    const attempt = store.transaction(async (tx) => {
      await tx.append('a', one)
      tx.client.exec('insert into child values (1)')
    })
    await expect(attempt).rejects.toThrow(/FOREIGN KEY/)
    expect([own.inTransaction, await store.readAll().count()]).toEqual([false, 0])
  })
})

describe('close', () => {
  it('waits for what is open, and leaves the Database of the caller open', async () => {
    const own = database()
    const store = await migrated({ database: own })
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const held = store.transaction(async (tx) => {
      begun.resolve()
      await gate.promise
      await tx.append('a', one)
    })
    await begun.promise
    const closed = store.close()
    gate.resolve()
    await Promise.all([held, closed])
    expect([own.open, own.prepare('select count(*) from events').pluck().get()]).toEqual([true, 1])
  })

  it('leaves a file that needs no recovery', async () => {
    const filename = file()
    const store = open({ filename })
    await store.migrate()
    await store.append('a', one)
    await store.close()
    const again = open({ filename })
    expect(await again.readAll().count()).toBe(1)
  })
})
