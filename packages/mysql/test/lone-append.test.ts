import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { one, onEach, until } from './store.js'

onEach('a lone append', ({ fresh, open, database, sql, admin }) => {
  it('gives what the other ways give, and is intact', async () => {
    const { store } = await fresh()
    await store.append('a', one(), { streamType: 'account' })
    const rich = {
      type: 'tested',
      data: { z: 1, a: { é: [1.5, 1e21, 'ü\u2028"\\', '😀'] } },
      metadata: { b: 'B', a: null },
      correlationId: 'c\'"\\ö',
      causationId: 'd',
      createdBy: 'e',
      schemaVersion: 3,
      occurredAt: new Date('2001-02-03T04:05:06.007Z'),
    }
    const results = [
      await store.append('a', [rich]),
      await store.append('a', [rich], { expectedVersion: 2 }),
      await store.append('a', [rich], { expectedVersion: 3, streamType: 'account' }),
      await store.append('a', [rich], { expectedVersion: 'stream-exists', streamType: 'account' }),
    ]
    expect(results.map(({ version, position }) => [version, position])).toEqual([
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ])
    expect(await store.readStream('a', { fromVersion: 2 }).toArray()).toEqual(
      results.flatMap(({ events }) => events),
    )
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
  })

  it('leaves to the other way what it does not do', async () => {
    const { store, prefix } = await fresh()
    await store.append('a', one())
    await expect(store.append('a', one(), { expectedVersion: 7 })).rejects.toMatchObject({ actualVersion: 1 })
    await expect(store.append('a', one(), { streamType: 'other' })).rejects.toThrow("'other'")
    await store.append('a', [{ type: 'tested', data: 'x'.repeat(100_000) }])
    await store.append('a', [{ type: 'tested', data: 1, tags: ['x'] }])
    await store.archiveStream('a')
    await expect(store.append('a', one())).rejects.toMatchObject({ code: 'VARVE_STREAM_ARCHIVED' })
    await store.restoreStream('a')
    // a clock that was set back
    await sql(
      `update ${prefix}event_streams set updated_at = '2999-01-01 00:00:00.123456' where stream_id = 'a'`,
    )
    const { events } = await store.append('a', one())
    expect(events[0]?.recordedAt).toEqual(new Date('2999-01-01T00:00:00.123Z'))
    expect(await store.readAll({ tags: ['x'] }).count()).toBe(1)
    // a stream that was removed, and made anew with another type
    await store.maintenance(async (tx) => {
      await tx.client.query(`delete from ${prefix}events`)
      await tx.client.query(`delete from ${prefix}event_streams`)
    })
    expect(await store.append('a', one(), { streamType: 'account' })).toMatchObject({
      version: 1,
      position: 5,
    })
    expect(await store.append('a', one())).toMatchObject({ version: 2, position: 6 })
    expect(await store.verify()).toMatchObject({ ok: true, events: 2 })
  })

  it('gets along without its procedure, as after a dump that left it out', async () => {
    const { store, prefix } = await fresh()
    await store.append('a', one())
    await sql(`drop procedure ${prefix}append_event`)
    expect((await store.append('a', one())).version).toBe(2)
    expect((await store.append('a', one())).version).toBe(3)
  })

  it('gets along without the right to call it', async () => {
    const { prefix } = await fresh()
    const account = `app_${database().name.slice(-8)}`
    await admin(`create user '${account}'@'%' identified by 'app'`)
    try {
      await admin(`grant select, insert on ${database().name}.* to '${account}'@'%'`)
      await admin(`grant update on ${database().name}.${prefix}event_streams to '${account}'@'%'`)
      const url = new URL(database().url)
      url.username = account
      url.password = 'app'
      const store = open({ uri: url.href, tablePrefix: prefix })
      await store.migrate()
      expect((await store.append('a', one())).version).toBe(1)
      expect((await store.append('a', one())).version).toBe(2)
      expect((await store.health()).status).toBe('ok')
      await expect(
        store.transaction(async (tx) => tx.client.query(`update ${prefix}events set event_type = 'x'`)),
      ).rejects.toThrow('denied')
      await store.close()
    } finally {
      await admin(`drop user '${account}'@'%'`)
    }
  })

  it("holds the log's lock until it commits", async () => {
    const { store, prefix } = await fresh()
    await store.append('a', one())
    // holds an id that the append is about to insert, without having asked for the lock
    const id = '0197b0a4-5d1c-7000-8000-00000000000b'
    const rival = await createConnection({ uri: database().url })
    await rival.query('start transaction')
    await rival.query(
      `insert into ${prefix}events (tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
       metadata, tags, occurred_at, created_at, event_size_bytes, checksum) values ('default', 'rival', 't', 1, '${id}', 't', 1, '1',
       '{}', '[]', now(), now(), 1, '')`,
    )
    const append = store.append('a', [{ type: 'tested', data: 1, id }])
    const held = async (): Promise<boolean> => {
      const [outcome] = await Promise.allSettled([
        sql(`select 1 from ${prefix}event_streams where stream_id = '' for update nowait`),
      ])
      return outcome.status === 'rejected'
    }
    await until(held)
    const behind = store.append('b', one())
    expect(await held()).toBe(true)
    await rival.query('rollback')
    await rival.end()
    expect([(await append).version, (await behind).version]).toEqual([2, 1])
    expect(await held()).toBe(false)
  })
})
