import type { EventStore } from '@varve/core'
import { sqlOf } from '@varve/sql'
import { createDatabase } from '@varve/test-servers/vitest'
import type pg from 'pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

const database = await createDatabase('postgres')
afterAll(() => database.drop())

let store: EventStore<pg.PoolClient>
let count = 0

beforeEach(async () => {
  store = createPostgresEventStore({ connectionString: database.url, schema: `verify_${++count}` })
  await store.migrate()
  return () => store.close()
})

const event = (data: number) => ({ type: 'counted', data })

/** Changes what is stored, as only somebody with rights to the tables could. */
async function tamper(sql: string): Promise<void> {
  const { dialect } = sqlOf(store)
  const text = sql.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => dialect.table(name))
  await store.maintenance(async (tx) => {
    await tx.client.query(text)
  })
}

describe('verify', () => {
  it('finds a version that is there twice', async () => {
    const first = await store.append('a', [event(1), event(2)])
    const second = await store.append('a', [event(3)])
    await tamper('drop index {{idx_events_stream}}')
    await tamper(`update {{events}} set version = 2 where position = ${second.position}`)
    const { problems } = await store.verify()
    expect(problems).toContainEqual({
      kind: 'version-gap',
      streamId: 'a',
      version: 2,
      position: second.position,
      detail: `version 2 is there twice, also at position ${first.position}`,
    })
    expect(problems.map(({ kind }) => kind)).toContain('head')
  })

  it('finds an id that is there twice', async () => {
    const first = await store.append('a', [event(1)])
    const second = await store.append('b', [event(2)])
    await tamper('drop index {{idx_events_event_id}}')
    await tamper(
      `update {{events}} set event_id = '${first.events[0]?.id}' where position = ${second.position}`,
    )
    const { problems } = await store.verify()
    expect(problems).toContainEqual({
      kind: 'duplicate-id',
      streamId: 'b',
      version: 1,
      position: second.position,
      detail: `the event at position ${first.position} has the same id`,
    })
  })

  it('finds events whose order in the log is not that of their versions', async () => {
    const { position } = await store.append('a', [event(1), event(2)])
    await tamper(`update {{events}} set position = ${position + 10} where version = 1`)
    const { problems } = await store.verify()
    expect(problems).toEqual([
      expect.objectContaining({
        kind: 'version-gap',
        version: 2,
        position,
        detail: expect.stringContaining('behind'),
      }),
    ])
  })

  it('names the versions that are missing', async () => {
    await store.append('a', [1, 2, 3, 4, 5].map(event))
    await tamper('delete from {{events}} where version in (2, 3)')
    const { problems } = await store.verify()
    expect(problems.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['version-gap', 'versions 2 to 3 are missing before it'],
      ['head', 'the head is at version 5, but the stream has 3 events'],
    ])
  })

  it('reports events that cannot be decoded, and goes on', async () => {
    await store.append('a', [event(1)])
    await store.append('b', [event(1)])
    await tamper(`update {{events}} set version = 9007199254740993 where stream_id = 'a'`)
    await tamper(`update {{events}} set occurred_at = 'infinity' where stream_id = 'b'`)
    const { events, problems } = await store.verify()
    expect(events).toBe(2)
    expect(problems.map(({ kind, streamId }) => [kind, streamId])).toEqual([
      ['checksum', 'a'],
      ['checksum', 'b'],
      ['head', 'a'],
    ])
  })

  it('finds a size that is not that of the data', async () => {
    await store.append('a', [{ type: 'named', data: 'Köln' }])
    await tamper('update {{events}} set event_size_bytes = 6')
    const { problems } = await store.verify()
    expect(problems.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['checksum', 'its data has 7 bytes, stored with it is 6'],
    ])
  })

  it('keeps to its tenant, and names tenants over all of them', async () => {
    const other = store.forTenant('other')
    await store.append('a', [event(1)])
    await other.append('a', [event(1), event(2)])
    expect((await store.allTenants().verify()).problems).toEqual([])
    await tamper(`delete from {{event_streams}} where tenant_id = 'other'`)
    expect(await store.verify()).toMatchObject({ ok: true, events: 1, streams: 1 })
    expect((await other.verify()).problems[0]).toMatchObject({ kind: 'orphan', streamId: 'a' })
    const { problems, streams } = await store.allTenants().verify()
    expect(streams).toBe(2)
    const named = expect.objectContaining({ detail: expect.stringContaining("tenant 'other'") })
    expect(problems).toEqual([named, named])
  })

  it('lists so many problems of a kind, and says that there are more', async () => {
    await store.append(
      'a',
      Array.from({ length: 450 }, (_, index) => event(index)),
    )
    await tamper(`update {{events}} set event_type = 'forged'`)
    await tamper('delete from {{events}} where version = 449')
    const { ok, events, problems } = await store.verify()
    expect([ok, events, problems.length]).toEqual([false, 449, 202])
    expect(problems[199]?.detail).toContain('there are more')
    expect(problems.slice(200).map(({ kind }) => kind)).toEqual(['version-gap', 'head'])
  })

  it('raises no false alarm while others append', async () => {
    const rounds = Array.from({ length: 15 }, (_, round) => round)
    const writers = ['a', 'b', 'c', 'd'].map(async (stream) => {
      for (const n of Array.from({ length: 150 }, (_, index) => index)) {
        await store.append(stream, [event(n), event(n)])
      }
    })
    for (const _ of rounds) expect((await store.verify()).problems).toEqual([])
    await Promise.all(writers)
    expect(await store.verify()).toMatchObject({ ok: true, events: 1_200, streams: 4 })
  })

  it('stops with the reason of its signal', async () => {
    await store.append(
      'a',
      Array.from({ length: 450 }, (_, index) => event(index)),
    )
    const controller = new AbortController()
    const reason = new Error('enough')
    const seen: number[] = []
    const verifying = store.verify({
      signal: controller.signal,
      onProgress: ({ events }) => {
        seen.push(events)
        controller.abort(reason)
      },
    })
    await expect(verifying).rejects.toBe(reason)
    expect(seen).toHaveLength(1)
  })
})
