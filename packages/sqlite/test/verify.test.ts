import { sqlOf } from '@varve/sql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'

let store: ReturnType<typeof createSqliteEventStore>

beforeEach(async () => {
  store = createSqliteEventStore()
  await store.migrate()
})
afterEach(() => store.close())

const event = (data: number) => ({ type: 'counted', data })

/** Changes what is stored, as only somebody with the file could. */
async function tamper(sql: string): Promise<void> {
  const { dialect } = sqlOf(store)
  const text = sql.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => dialect.table(name))
  await store.maintenance(async (tx) => {
    tx.client.exec(text)
  })
}

const kinds = async () => (await store.verify()).problems.map(({ kind, streamId }) => `${kind} ${streamId}`)

describe('verify', () => {
  it('finds a version that is there twice', async () => {
    const { position } = await store.append('a', [event(1), event(2), event(3)])
    await tamper(
      `drop index {{idx_events_stream}}; update {{events}} set version = 2 where position = ${position}`,
    )
    expect(await kinds()).toEqual(['checksum a', 'version-gap a', 'head a'])
  })

  it('finds an id that is there twice', async () => {
    await store.append('a', [event(1)])
    await store.append('b', [event(2)])
    await tamper(
      'drop index {{idx_events_event_id}}; update {{events}} set event_id = (select min(event_id) from {{events}})',
    )
    expect(await kinds()).toEqual(['checksum b', 'duplicate-id b'])
  })

  it.each([
    ['event_data', `'{'`],
    ['metadata', `'nonsense'`],
    ['tags', `'{}'`],
    ['event_data', `'1e999'`],
  ])('reports an event whose %s is %s, and goes on', async (column, value) => {
    await store.append('a', [event(1)])
    await store.append('b', [event(1)])
    await tamper(`update {{events}} set ${column} = ${value} where stream_id = 'a'`)
    const { events, streams, problems } = await store.verify()
    expect([events, streams]).toEqual([2, 2])
    expect(problems.map(({ kind, streamId }) => [kind, streamId])).toEqual([['checksum', 'a']])
  })

  it('finds a head of another type, and one without events', async () => {
    await store.append('a', [event(1)], { streamType: 'counter' })
    await store.append('b', [event(1)])
    await tamper(`update {{event_streams}} set stream_type = 'other' where stream_id = 'a'`)
    await tamper(`delete from {{events}} where stream_id = 'b'`)
    const { problems } = await store.verify()
    expect(problems.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['head', `the head's stream type is 'other', an event's is 'counter'`],
      ['head', 'the head is at version 1, but the stream has no events'],
    ])
  })

  it('is waited for, and comes to its end, when the store is closed meanwhile', async () => {
    const other = createSqliteEventStore()
    await other.migrate()
    await other.append(
      'a',
      Array.from({ length: 450 }, (_, index) => event(index)),
    )
    let closing: Promise<void> | undefined
    const report = await other.verify({ onProgress: () => void (closing ??= other.close()) })
    expect(report).toMatchObject({ ok: true, events: 450 })
    await closing
    await expect(other.verify()).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
  })

  it("lets an error of the caller's own out as it is", async () => {
    await store.append('a', [event(1)])
    const failure = new Error('of the caller')
    const verifying = store.verify({
      onProgress: () => {
        throw failure
      },
    })
    await expect(verifying).rejects.toBe(failure)
  })
})
