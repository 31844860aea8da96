import { createPool } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { onEach, rowsOf } from './store.js'

onEach('plans', ({ open, database, prefix }) => {
  it('read the log in the order that it is stored in, whatever the server makes of its indexes', async () => {
    // one connection, so that its counters are those of all reads
    const pool = createPool({ uri: database().url, connectionLimit: 1 })
    const store = open({ pool, tablePrefix: prefix() })
    await store.migrate()
    const events = Array.from({ length: 500 }, (_, number) => ({ type: 'tested', data: { number } }))
    for (let stream = 0; stream < 8; stream++) await store.append(`s-${stream}`, events)
    const sorted = async () => (await rowsOf(pool, `show session status like 'Sort_rows'`))[0]?.['Value']
    const before = await sorted()
    expect(await store.readAll().toArray()).toHaveLength(4_000)
    expect(await store.readAll({ after: 2_000, limit: 900 }).toArray()).toHaveLength(900)
    expect(await store.readAll({ direction: 'backwards', limit: 900 }).toArray()).toHaveLength(900)
    expect(await store.readAll({ metadata: { a: 1 } }).toArray()).toEqual([])
    expect(await store.readAll({ streamTypes: ['stream'] }).toArray()).toHaveLength(4_000)
    expect((await store.readAll().last())?.streamId).toBe('s-7')
    expect(await sorted()).toBe(before)
    await pool.end()
  })
})
