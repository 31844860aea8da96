import { createPool } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { one, onEach } from './store.js'

onEach('health', ({ fresh, open, database }) => {
  it('is well while many append in turn', async () => {
    const { store, prefix } = await fresh()
    const other = open({ tablePrefix: prefix })
    let going = true
    const append = async (): Promise<void> => {
      while (going) await Promise.all(Array.from({ length: 20 }, (_, n) => other.append(`s-${n}`, one())))
    }
    const appending = append()
    const report = await store.health()
    going = false
    await appending
    expect(report.status).toBe('ok')
    expect(report.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['connection', 'migrations', 'settled', 'server', 'writers']),
    )
  })

  it('tells that somebody who has appended keeps all others from it, and who', async () => {
    const { store, prefix } = await fresh()
    await store.append('a', one())
    const pool = createPool({ uri: database().adminUrl, connectionLimit: 2 })
    const allowed = open({ pool, tablePrefix: prefix })
    await store.transaction(async (tx) => {
      await tx.append('a', one())
      const report = await store.health()
      expect(report.status).toBe('degraded')
      const check = report.checks.find(({ name }) => name === 'writers')
      expect(check).toMatchObject({ status: 'degraded' })
      expect(check?.detail).toMatch(/has been open for \d+ s and keeps all others from appending/)

      const [rows] = await tx.client.query('select connection_id() as id')
      const [row] = rows as { id: number }[]
      const byAdmin = await allowed.health()
      expect(byAdmin.checks.find(({ name }) => name === 'writers')?.detail).toContain(
        `connection ${row?.id}, user varve`,
      )
    })
    expect((await store.health()).status).toBe('ok')
    await allowed.close()
    await pool.end()
  })
})
