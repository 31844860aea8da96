import { newEvent } from '@varve/core'
import { expect, it } from 'vitest'
import { one, onEach, until } from './store.js'

onEach('outages', ({ fresh, open, admin, database }) => {
  it('killed connections in the midst of flushes lose and double nothing', async () => {
    const { store, prefix } = await fresh({ retry: { attempts: 50, baseDelayMs: 5, maxElapsedMs: 20_000 } })
    const other = open({ tablePrefix: prefix })
    const ours = new URL(database().url).username
    let appending = true
    // one after the other, each time something was appended again
    const kill = async (): Promise<number> => {
      let kills = 0
      while (appending) {
        const rows = await admin(
          `select id from information_schema.processlist where db = '${database().name}' and user = '${ours}' and command <> 'Sleep'`,
        )
        for (const row of rows.slice(0, 1)) {
          const [outcome] = await Promise.allSettled([admin(`kill ${Number(row['id'] ?? row['ID'])}`)])
          if (outcome.status === 'fulfilled') kills += 1
          const before = await other.lastPosition()
          await until(async () => !appending || (await other.lastPosition()) > before)
        }
      }
      return kills
    }
    const killing = kill()
    const events = Array.from({ length: 300 }, (_, n) => newEvent({ type: 'tested', data: n }))
    const append = (event: (typeof events)[number], n: number) =>
      n % 40 === 0
        ? store.appendMany([
            { streamId: `s-${n % 7}`, events: [event] },
            { streamId: 'checked', events: [] },
          ])
        : store.append(`s-${n % 7}`, [event])
    const results: PromiseSettledResult<unknown>[] = []
    // ten at a time, so that it takes many flushes
    for (let from = 0; from < events.length; from += 10) {
      results.push(
        ...(await Promise.allSettled(
          events.slice(from, from + 10).map((event, at) => append(event, from + at)),
        )),
      )
    }
    appending = false
    expect(await killing).toBeGreaterThan(0)
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
    const stored = await other.readAll().toArray()
    expect(stored.map(({ id }) => id).toSorted()).toEqual(events.map(({ id }) => id).toSorted())
    for (const n of [0, 1, 2, 3, 4, 5, 6]) {
      const expected = events.flatMap((event, index) => (index % 7 === n ? [event.data] : []))
      expect((await other.readStream(`s-${n}`).toArray()).map(({ data }) => data)).toEqual(expected)
    }
    expect(await other.verify()).toMatchObject({ ok: true, problems: [] })
  })

  it('a connection killed in maintenance does not leave the door open', async () => {
    const { store, prefix } = await fresh({ pool: { max: 1 } })
    await store.append('a', one())
    const work = store.maintenance(async (tx) => {
      await admin(`kill ${tx.client.threadId}`)
      await tx.client.query('select 1')
    })
    await expect(work).rejects.toThrow(/connection|socket/i)
    await expect(
      store.transaction(async (tx) => tx.client.query(`delete from ${prefix}events`)),
    ).rejects.toThrow('append-only')
    expect(await store.readAll().count()).toBe(1)
  })

  it('does without prepared statements', async () => {
    const { store } = await fresh({ preparedStatements: false })
    const text = `it's "\\ ? $1 \0`.replace('\0', '') + 'ü😀\n\u2028'
    const batch = Array.from({ length: 70 }, (_, n) => ({
      type: "t'?",
      data: { text, n, list: [text] },
      metadata: { [text]: text },
      tags: [`k:${n % 3}`, '?'],
      correlationId: 'c$1?',
    }))
    const { events } = await store.append("s'\\?", batch, { streamType: 'y`"' })
    expect(
      await store.readAll({ metadata: { [text]: text }, tags: ['?'], types: ["t'?"] }).toArray(),
    ).toEqual(events)
    expect((await store.append("s'\\?", batch.slice(0, 1), { expectedVersion: 70 })).version).toBe(71)
    expect((await store.append('empty', [{ type: 'e', data: '' }])).version).toBe(1)
    expect((await store.append('empty', [{ type: 'e', data: '' }])).version).toBe(2)
    expect(await store.verify()).toMatchObject({ ok: true, events: 73 })
  })
})
