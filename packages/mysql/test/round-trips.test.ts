import { startProxy } from '@varve/test-servers'
import { expect, it } from 'vitest'
import { one, onEach } from './store.js'

onEach('round trips', ({ fresh, open, database }) => {
  it('are few', async () => {
    await using proxy = await startProxy({ target: database().url })
    const { prefix } = await fresh()
    const store = open({ uri: proxy.url, tablePrefix: prefix, pool: { max: 1 } })
    let sent = 0
    // says no to all of it: it only counts what the client sends
    proxy.loseNextAnswer(() => {
      sent += 1
      return false
    })
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      // what is sent for the first time is prepared first
      for (const _ of [1, 2]) {
        sent = 0
        await work()
      }
      return sent
    }
    await store.append('a', one())
    expect(await count(() => store.append('a', one()))).toBe(1)
    // begin, lock, heads, events, commit
    let streams = 0
    expect(await count(() => store.append(`new-${streams++}`, one()))).toBe(5)
    const many = (n: number) => Array.from({ length: n }, () => one()[0] ?? { type: 'a', data: 1 })
    expect(await count(() => store.append('a', many(64)))).toBe(5)
    expect(await count(() => store.append('a', many(61)))).toBe(6)
    expect(await count(() => store.append('a', many(500)))).toBe(5 + 9 - 1)
    const flush = () => Promise.all(Array.from({ length: 40 }, (_, n) => store.append(`s-${n}`, one())))
    // makes the streams; from then on their heads are updated
    await flush()
    expect(await count(flush)).toBe(5)
    const both = () =>
      store.appendMany([
        { streamId: 'a', events: one() },
        { streamId: 's-1', events: one() },
        { streamId: 's-2', events: [] },
      ])
    expect(await count(both)).toBe(5)
    expect(await count(() => store.readStream('a').toArray())).toBeLessThan(5)
    expect(await count(() => store.getStream('a'))).toBe(1)
  })
})
