import type { EventStore } from '@varve/core'
import type { Database } from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import { one, useStores } from './stores.js'

const { file, migrated, database } = useStores()

let filename: string
let store: EventStore<Database>
/** Another program on the same file. */
let other: Database

beforeEach(async () => {
  filename = file()
  store = await migrated({ filename })
  await store.append('a', [{ type: 'happened', data: 1, tags: ['x', 'y'] }, ...one])
  other = database(filename)
})

const dump = () =>
  JSON.stringify(['events', 'event_tags'].map((table) => other.prepare(`select * from ${table}`).all()))

/** A statement that puts another event in the place of the first one; `keep` are the columns that it takes over. */
function replacing(keep: readonly string[], how = 'insert or replace'): string {
  const columns = other.prepare('select name from pragma_table_info(?)').pluck().all('events') as string[]
  const fresh: Record<string, string> = {
    position: '1000',
    stream_id: `'elsewhere'`,
    version: '1000',
    event_id: `'00000000-0000-7000-8000-000000000000'`,
    event_data: `'"forged"'`,
  }
  const values = columns.map((column) => (keep.includes(column) ? column : (fresh[column] ?? column)))
  return `${how} into events (${columns.join(', ')}) select ${values.join(', ')} from events where position = 1`
}

describe.each([false, true])('with recursive_triggers = %s, the database refuses', (recursive) => {
  beforeEach(() => void other.pragma(`recursive_triggers = ${recursive}`))

  it.each([
    ['an update', `update events set event_data = '2'`],
    ['an update or replace', `update or replace events set version = 1`],
    ['an update of nothing', `update events set event_data = event_data`],
    ['a delete', 'delete from events where version = 2'],
    ['a delete of all', 'delete from events'],
    ['an update of tags', `update event_tags set tag = 'z'`],
    ['a delete of tags', 'delete from event_tags'],
  ])('%s', (_, statement) => {
    const before = dump()
    expect(() => other.exec(statement)).toThrow(/append-only/)
    expect(dump()).toBe(before)
  })

  it.each([
    ['position', ['position']],
    ['stream and version', ['stream_id', 'version']],
    ['id', ['event_id']],
    ['everything', ['position', 'stream_id', 'version', 'event_id']],
  ])('to replace an event of the same %s', (_, keep) => {
    const before = dump()
    for (const how of ['insert or replace', 'replace']) {
      expect(() => other.exec(replacing(keep, how))).toThrow(/stored already/)
    }
    const upsert = `${replacing(keep, 'insert')} on conflict do update set event_data = '"forged"'`
    expect(() => other.exec(upsert)).toThrow(/stored already/)
    expect(dump()).toBe(before)
  })

  it('nothing to an event that is new', () => {
    other.exec(replacing([]))
    expect(other.prepare('select count(*) from events').pluck().get()).toBe(3)
  })
})

describe('maintenance', () => {
  it('opens the door for one transaction, and leaves no trace of it', async () => {
    await store.maintenance(async (tx) => {
      tx.client.exec('delete from events where version = 2')
      // nobody else sees it open, nor could write meanwhile
      expect(other.prepare('select name from varve_meta').pluck().all()).toEqual(['log_id'])
      other.pragma('busy_timeout = 0')
      expect(() => other.exec('delete from events')).toThrow(/locked/)
    })
    expect(other.prepare('select name from varve_meta').pluck().all()).toEqual(['log_id'])
    expect(() => other.exec('delete from events')).toThrow(/append-only/)
    expect(await store.readAll().count()).toBe(1)
  })

  it('never gives a position twice, not even of the last events', async () => {
    await store.maintenance(async (tx) => {
      tx.client.exec('delete from event_tags; delete from events; delete from event_streams')
    })
    expect(await store.readAll().count()).toBe(0)
    expect((await store.append('a', one)).position).toBe(3)
  })
})

it('health tells when the guards are gone or the door was left open', async () => {
  expect((await store.health()).status).toBe('ok')
  other.exec(`insert into varve_meta values ('maintenance', 'open')`)
  expect(await store.health()).toMatchObject({ status: 'degraded' })
  other.exec(`delete from varve_meta where name = 'maintenance'`)
  other.exec('drop trigger trigger_events_no_replace')
  const { status, checks } = await store.health()
  expect(status).toBe('degraded')
  expect(checks.find(({ name }) => name === 'append-only')?.detail).toContain('trigger_events_no_replace')
})
