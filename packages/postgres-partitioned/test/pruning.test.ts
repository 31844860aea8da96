import { afterEach, expect, it } from 'vitest'
import type pg from 'pg'
import { historyOf, inMonth, monthsAgo, partitionOf, some } from './history.js'
import { recordingPool, tablesTouched } from './recording-pool.js'
import type { Recorded } from './recording-pool.js'
import { useDatabase } from './store.js'

const { fresh, open, database } = useDatabase()

const pools: pg.Pool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
})

/** What is read whatever is asked: months that may still be appended to, and what has none. */
const openTables = [...[0, -1, -2, -3].map((ago) => partitionOf(monthsAgo(ago))), 'events_default']

const events = (touched: readonly string[]): string[] => touched.filter((name) => name.startsWith('events_'))

async function recordedStore(schema: string) {
  const { pool, recorded } = recordingPool(database().url)
  pools.push(pool)
  const store = open({ schema, pool })
  await store.readAll({ limit: 1 }).toArray() // learns the partitions
  recorded.length = 0
  const pages = (): Recorded[] => recorded.filter(({ text }) => text.startsWith('select position, tenant_id'))
  return { store, pool, recorded, pages }
}

it('touches, for each page of a catch-up, the month that holds it alone, and at its end those that are open', async () => {
  const opened = await fresh()
  const [months, each] = [7, 1_300]
  await historyOf(opened, months, each - 1)
  const { store, pool, pages } = await recordedStore(opened.schema)
  expect(await store.readAll().toArray()).toHaveLength(months * each)
  const closed = [6, 5, 4, 3, 2, 1].map((ago) => partitionOf(monthsAgo(ago)))
  let atTheEnd = 0
  for (const page of pages()) {
    const tables = events(await tablesTouched(pool, page))
    const ofClosed = tables.filter((table) => closed.includes(table))
    const others = tables.filter((table) => !closed.includes(table))
    // a page that begins near the end of a month goes on in the next
    expect(ofClosed.length).toBeLessThanOrEqual(2)
    if (others.length === 0) continue
    expect(others).toEqual(openTables.toSorted())
    expect(ofClosed.length).toBeLessThanOrEqual(1)
    atTheEnd++
  }
  expect(atTheEnd).toBeLessThanOrEqual(3)
  expect(pages().length).toBeGreaterThanOrEqual(months + 2)
})

it('reads months together that hold less than a page', async () => {
  const opened = await fresh()
  await historyOf(opened, 24, 4)
  const { store, pages } = await recordedStore(opened.schema)
  expect(await store.readAll().toArray()).toHaveLength(24 * 5)
  expect(pages()).toHaveLength(1)
})

it('touches the open months only at the end of the log, where followers read', async () => {
  const opened = await fresh()
  await historyOf(opened, 4, 1_100)
  const { store, pool, pages, recorded } = await recordedStore(opened.schema)
  const last = await store.lastPosition()
  expect(await store.readAll({ after: last - 2 }).toArray()).toHaveLength(2)
  expect(await store.readAll({ direction: 'backwards', limit: 2 }).toArray()).toHaveLength(2)
  expect(pages()).toHaveLength(2)
  for (const page of pages()) expect(events(await tablesTouched(pool, page))).toEqual(openTables.toSorted())
  const settled = recorded.find(({ text }) => text.includes('pg_locks'))
  expect(events(await tablesTouched(pool, settled as Recorded)).toSorted()).toEqual(
    [...openTables, 'event_partitions'].filter((name) => name.startsWith('events_')).toSorted(),
  )
  const lastPosition = recorded.find(({ text }) => text.startsWith('select position from'))
  expect(events(await tablesTouched(pool, lastPosition as Recorded))).toEqual(openTables.toSorted())
})

it('touches the months of a stream only', async () => {
  const opened = await fresh()
  await historyOf(opened, 24, 4)
  const { store, pool, pages } = await recordedStore(opened.schema)
  for (const ago of [23, 11, 1]) {
    expect(await store.readStream(`only-${monthsAgo(ago)}`).toArray()).toHaveLength(4)
    expect(events(await tablesTouched(pool, pages().at(-1) as Recorded))).toEqual([
      partitionOf(monthsAgo(ago)),
    ])
  }
  expect(await store.readStream('long').toArray()).toHaveLength(24)
  expect(events(await tablesTouched(pool, pages().at(-1) as Recorded))).toHaveLength(24)
})

it('reads the same as without pruning, wherever it begins, whatever it filters', async () => {
  const opened = await fresh()
  await historyOf(opened, 8, 3)
  await inMonth(opened, monthsAgo(0), { odd: some(4, 'odd') })
  const large = await fresh()
  await historyOf(large, 3, 1_500)
  const { store: other } = await recordedStore(large.schema)
  const many = (await large.sql('select position::int from events order by 1')).map((row) => row['position'])
  expect((await other.readAll().toArray()).map(({ position }) => position)).toEqual(many)
  const backwards = await other.readAll({ direction: 'backwards', until: 2_900, after: 200 }).toArray()
  expect(backwards.map(({ position }) => position)).toEqual(many.slice(200, 2_900).toReversed())
  const { store } = await recordedStore(opened.schema)
  const all = (await opened.sql('select position::int from events order by 1')).map(
    (row) => row['position'] as number,
  )
  const positions = async (read: { toArray(): Promise<{ position: number }[]> }) =>
    (await read.toArray()).map(({ position }) => position)
  for (const [index, after] of [0, ...all].entries()) {
    expect(await positions(store.readAll({ after }))).toEqual(all.slice(index))
    expect(await positions(store.readAll({ after, limit: 5 }))).toEqual(all.slice(index, index + 5))
    expect(await positions(store.readAll({ until: after, direction: 'backwards' }))).toEqual(
      all.slice(0, index).toReversed(),
    )
    expect(await store.readAll({ after }).count()).toBe(all.length - index)
    expect((await store.readAll({ after }).last())?.position).toBe(
      index === all.length ? undefined : all.at(-1),
    )
    expect((await store.readAll({ after }).first())?.position).toBe(all[index])
  }
  expect(await store.readAll({ types: ['odd'] }).toArray()).toHaveLength(4)
  const stream = await store.readStream('long').toArray()
  expect(stream.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  for (const version of [1, 3, 8]) {
    expect((await store.readStream('long', { fromVersion: version }).toArray())[0]).toEqual(
      stream[version - 1],
    )
    expect(await store.readStream('long', { toVersion: version, direction: 'backwards' }).first()).toEqual(
      stream[version - 1],
    )
    expect(await store.readStream('long', { fromVersion: version }).count()).toBe(9 - version)
  }
  expect(await store.readStream('none').toArray()).toEqual([])
  expect(await store.readStream('none').count()).toBe(0)
  expect(await store.verify()).toMatchObject({ ok: true })
})

it('notices what happens to the partitions while it reads', async () => {
  const opened = await fresh()
  await historyOf(opened, 6, 3)
  const { store } = await recordedStore(opened.schema)
  const expected = await opened.store.readAll().toArray()
  const read: unknown[] = []
  for await (const event of store.readAll()) {
    read.push(event)
    // made anew behind the reader's back, again and again
    if (read.length % 4 === 0) await opened.store.partitions.create(monthsAgo(-4 - read.length))
  }
  expect(read).toEqual(expected)
})
