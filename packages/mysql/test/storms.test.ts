import type { EventStore, RecordedEvent } from '@varve/core'
import { expect, it } from 'vitest'
import { one, onEach } from './store.js'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

onEach('storms', ({ fresh, open }) => {
  it('of crosswise appends to many streams show no deadlock', async () => {
    const { store, prefix } = await fresh()
    const stores = [store, open({ tablePrefix: prefix }), open({ tablePrefix: prefix })]
    const names = upTo(8).map((n) => `s-${n}`)
    const calls = upTo(150).map(async (n) => {
      const mine = stores[n % 3] ?? store
      const order = n % 2 === 0 ? names : names.toReversed()
      const some = order.slice(n % 4, (n % 4) + 4)
      if (n % 5 === 0) return mine.append(some[0] ?? 'x', one())
      return mine.appendMany([
        ...some.map((streamId) => ({ streamId, events: one() })),
        { streamId: `new-${n % 7}`, events: n % 3 === 0 ? [] : one() },
      ])
    })
    await Promise.all(calls)
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
  })

  it('of crosswise transactions, run again after conflicts, lose nothing', async () => {
    const { store, prefix } = await fresh()
    const stores = [store, open({ tablePrefix: prefix })]
    await Promise.all(
      upTo(40).map((n) =>
        (stores[n % 2] ?? store).transaction(
          async (tx) => {
            const [first, second] = n % 2 === 0 ? ['a', 'b'] : ['b', 'a']
            await tx.append(first ?? '', one())
            await tx.append(second ?? '', one())
          },
          { retries: 20 },
        ),
      ),
    )
    expect([(await store.getStream('a'))?.version, (await store.getStream('b'))?.version]).toEqual([40, 40])
    expect(await store.verify()).toMatchObject({ ok: true, events: 80 })
  })

  it('leave nothing below what a reader has seen', async () => {
    const { store, prefix } = await fresh()
    const writers = upTo(4).map(() => open({ tablePrefix: prefix, pool: { max: 4 } }))
    const reader = open({ tablePrefix: prefix })
    let done = false
    const seen: RecordedEvent[] = []
    // goes on from the highest position that it saw, as one must not where commits are not in the order of positions
    const follow = async (): Promise<void> => {
      for (let last = false; ; last = done) {
        const after = seen.at(-1)?.position ?? 0
        seen.push(...(await reader.readAll({ after, settled: false }).toArray()))
        if (last) return
      }
    }
    const following = follow()
    const failure = new Error('rolled back')
    const failures: Promise<void>[] = []
    const work = async (writer: EventStore, n: number): Promise<void> => {
      for (const round of upTo(40)) {
        if (round % 4 === 0) await writer.append(`lone-${n}`, one())
        else if (round % 4 === 1) await Promise.all(upTo(5).map((s) => writer.append(`s-${s}`, one())))
        else if (round % 4 === 2) await writer.transaction((tx) => tx.append(`t-${n}`, one()))
        else {
          const gone = writer.transaction(async (tx) => {
            await tx.append('gone', one())
            throw failure
          })
          gone.catch(() => undefined)
          failures.push(gone)
        }
      }
    }
    await Promise.all(writers.map(work))
    for (const gone of failures) await expect(gone).rejects.toBe(failure)
    done = true
    await following
    const all = await store.readAll().toArray()
    expect(seen.map(({ position }) => position)).toEqual(all.map(({ position }) => position))
    expect(all.length).toBe(4 * 10 * (1 + 5 + 1))
    expect(await store.settledPosition()).toBe(all.at(-1)?.position)
  })
})
