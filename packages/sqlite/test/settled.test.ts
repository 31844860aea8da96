import { setImmediate } from 'node:timers/promises'
import { sqlOf } from '@varve/sql'
import { describe, expect, it } from 'vitest'
import { one, useStores } from './stores.js'

const { file, migrated } = useStores()

const LONG = 60_000

describe('waiting for more of the log', () => {
  it('ends with an append of the same process', async () => {
    const store = await migrated()
    const { settled } = sqlOf(store).dialect
    const waiting = settled.beyond(0, LONG)
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    const { position } = await store.append('a', one)
    expect(await waiting).toEqual({ settled: position, high: position })
  })

  it('ends with an append of another store on the file', async () => {
    const filename = file()
    const [store, other] = [await migrated({ filename }), await migrated({ filename })]
    const waiting = sqlOf(store).dialect.settled.beyond(0, LONG)
    await other.append('a', one)
    expect(await waiting).toEqual({ settled: 1, high: 1 })
  })

  it('goes on after what does not reach far enough', async () => {
    const store = await migrated()
    const waiting = sqlOf(store).dialect.settled.beyond(2, LONG)
    for (let count = 0; count < 3; count++) await store.append('a', one)
    expect((await waiting).settled).toBe(3)
  })

  it('is over at once when there is more already, and when its time or its signal is over', async () => {
    const store = await migrated()
    await store.append('a', one)
    const { settled } = sqlOf(store).dialect
    expect((await settled.beyond(0, LONG)).settled).toBe(1)
    expect((await settled.beyond(1, 0)).settled).toBe(1)
    expect((await settled.beyond(1, 5)).settled).toBe(1)
    expect((await settled.beyond(1, LONG, AbortSignal.abort())).settled).toBe(1)
    const controller = new AbortController()
    const waiting = settled.beyond(1, LONG, controller.signal)
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    controller.abort()
    expect((await waiting).settled).toBe(1)
  })

  it('ends when the store closes', async () => {
    const store = await migrated()
    const waiting = sqlOf(store).dialect.settled.beyond(0, LONG)
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    await store.close()
    expect(await Promise.race([waiting, setImmediate('still waiting')])).toEqual({ settled: 0, high: 0 })
  })
})
