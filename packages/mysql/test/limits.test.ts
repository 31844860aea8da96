import { startProxy } from '@varve/test-servers'
import { sqlOf } from '@varve/sql'
import { expect, it } from 'vitest'
import { one, onEach, until } from './store.js'

onEach('limits', ({ fresh, open, database }) => {
  it('end a statement that takes too long, on the server', async () => {
    const { store, prefix } = await fresh({ statementTimeoutMs: 200, retry: false })
    await store.append(
      'a',
      Array.from({ length: 400 }, () => one()[0] ?? { type: 'a', data: 1 }),
    )
    const events = ['a', 'b', 'c', 'd'].map((name) => `${prefix}events ${name}`).join(', ')
    const slow = `select sum(a.position * b.position * c.position * d.position) from ${events}`
    const begun = performance.now()
    const error: unknown = await store
      .transaction(async (tx) => tx.client.query(slow))
      .catch((thrown: unknown) => thrown)
    expect(sqlOf(store).driver.classify(error)).toMatchObject({ kind: 'timeout' })
    expect(performance.now() - begun).toBeLessThan(3_000)
  })

  it('do not hold for reads of the whole log, nor for migrations', async () => {
    const { store } = await fresh({ statementTimeoutMs: 300, pool: { max: 1 }, retry: false })
    const { driver, dialect } = sqlOf(store)
    const slept = await dialect.patiently(driver, (session) => session.query('select sleep(0.7)'))
    expect(slept).toEqual([[0]])
    // MySQL wakes the sleeper, MariaDB ends the statement
    const [outcome] = await Promise.allSettled([driver.query('select sleep(20)')])
    const woken = outcome.status === 'fulfilled' && outcome.value[0]?.[0] === 1
    const ended = outcome.status === 'rejected' && driver.classify(outcome.reason).kind === 'timeout'
    expect([woken, ended]).toContain(true)
  })

  it('end the wait for somebody who has appended and does not commit', async () => {
    const { store, prefix } = await fresh({ statementTimeoutMs: 1_500, retry: false })
    const other = open({ tablePrefix: prefix })
    await store.append('a', one())
    await other.transaction(async (tx) => {
      await tx.append('b', one())
      const error: unknown = await store.append('a', one()).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' })
      expect(String(error)).toContain('has appended is still open')
      await expect(store.transaction((mine) => mine.append('a', one()))).rejects.toMatchObject({
        code: 'VARVE_TRANSACTION_CONFLICT',
      })
    })
    expect((await store.append('a', one())).version).toBe(2)
  })

  it('end what a network that hangs would keep, and the append is repeated when it is back', async () => {
    await using proxy = await startProxy({ target: database().url })
    const { prefix } = await fresh()
    const settings = { statementTimeoutMs: 100, retry: { attempts: 20, maxElapsedMs: 20_000 } }
    const store = open({ uri: proxy.url, tablePrefix: prefix, ...settings })
    await store.append('a', one())
    proxy.pause()
    const before = proxy.connections
    const append = store.append('a', one())
    const read = store.readStream('a').count()
    // those that hang are given up, others are opened and hang too
    await until(async () => proxy.connections > before + 1)
    expect((await store.health()).status).toBe('down')
    proxy.resume()
    expect((await append).version).toBe(2)
    expect(await read).toBeGreaterThan(0)
    expect(await store.verify()).toMatchObject({ ok: true, events: 2 })
  })

  it('let close() end though the network hangs', async () => {
    await using proxy = await startProxy({ target: database().url })
    const { prefix } = await fresh()
    const store = open({ uri: proxy.url, tablePrefix: prefix })
    await store.append('a', one())
    proxy.pause()
    const begun = performance.now()
    await store.close()
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})
