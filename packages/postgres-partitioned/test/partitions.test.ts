import { openEventStore } from '@varve/core'
import { createPostgresEventStore } from '@varve/postgres'
import { expect, it } from 'vitest'
import { adapter } from '../src/index.js'
import type { PartitionedEventStore } from '../src/index.js'
import { historyOf, inMonth, monthsAgo, partitionOf, some } from './history.js'
import { useDatabase } from './store.js'

const { fresh, open, owner, database } = useDatabase()

it('makes this month and three ahead, and lists them', async () => {
  const { store } = await fresh()
  await store.append('a', some(3))
  const [first, ...others] = await store.partitions.list()
  expect(first).toMatchObject({
    name: partitionOf(monthsAgo(0)),
    state: 'open',
    events: 3,
    firstPosition: 1,
    lastPosition: 3,
  })
  expect(first?.from?.toISOString()).toBe(`${monthsAgo(0)}-01T00:00:00.000Z`)
  expect(first?.to?.toISOString()).toBe(`${monthsAgo(-1)}-01T00:00:00.000Z`)
  expect(first?.bytes).toBeGreaterThan(0)
  expect(others.map(({ name, state }) => [name, state])).toEqual([
    ...[-1, -2, -3].map((ago) => [partitionOf(monthsAgo(ago)), 'open']),
    ['events_default', 'default'],
  ])
})

it('opens by its URL', async () => {
  const { schema } = await fresh()
  const store = (await openEventStore(`${database().url}?partitioned=true&schema=${schema}`, {
    adapters: [adapter],
  })) as PartitionedEventStore
  expect(await store.partitions.list()).toHaveLength(5)
  await store.close()
})

it('has bounds in UTC, whatever the time zone and date style of who makes them', async () => {
  const { store, sql } = await fresh()
  const zones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu', 'UTC']
  for (const [index, zone] of zones.entries()) {
    await sql(
      `set time zone '${zone}'; set datestyle to 'SQL, DMY'; select create_monthly_partition('2031-0${index + 1}-17'); reset time zone; reset datestyle`,
    )
  }
  const made = (await store.partitions.list()).filter(({ name }) => name.startsWith('events_2031'))
  expect(made.map(({ from, to }) => [from?.toISOString(), to?.toISOString()])).toEqual([
    ['2031-01-01T00:00:00.000Z', '2031-02-01T00:00:00.000Z'],
    ['2031-02-01T00:00:00.000Z', '2031-03-01T00:00:00.000Z'],
    ['2031-03-01T00:00:00.000Z', '2031-04-01T00:00:00.000Z'],
    ['2031-04-01T00:00:00.000Z', '2031-05-01T00:00:00.000Z'],
  ])
})

it('may be told by twenty at once, with nothing made twice', async () => {
  const { store, schema } = await fresh()
  const stores = [store, ...Array.from({ length: 4 }, () => open({ schema }))]
  const names = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (stores[index % 5] ?? store).partitions.ensure({ ahead: 6 })),
  )
  for (const made of names)
    expect(made).toEqual([0, -1, -2, -3, -4, -5, -6].map((ago) => partitionOf(monthsAgo(ago))))
})

it('guards the leaves as it guards the whole', async () => {
  const { store, sql } = await fresh()
  await store.append('a', some(1))
  const leaf = partitionOf(monthsAgo(0))
  for (const table of ['events', leaf]) {
    await expect(sql(`update ${table} set event_type = 'x'`)).rejects.toThrow(/append-only: UPDATE/)
    await expect(sql(`delete from ${table}`)).rejects.toThrow(/append-only: DELETE/)
    await expect(sql(`truncate ${table}`)).rejects.toThrow(/append-only: TRUNCATE/)
  }
  await expect(sql(`truncate events_default`)).rejects.toThrow(/append-only: TRUNCATE/)
})

it('catches what has no month, loudly, and moves it out when the month is made', async () => {
  const { store, sql, another } = await fresh()
  const leaf = partitionOf(monthsAgo(0))
  await store.append('early', some(2))
  // this month was forgotten
  await sql(`begin; set local varve.maintenance = 'on'; alter table events detach partition ${leaf};
    insert into events_default select * from ${leaf}; drop table ${leaf}; delete from event_partitions where name = '${leaf}'; commit`)
  const own = { id: '0192f3a0-0000-7000-8000-000000000001', type: 'tested', data: 1 }
  await store.append('late', [own])
  await expect(store.health()).resolves.toMatchObject({ status: 'degraded' })
  const check = (await store.health()).checks.find(({ name }) => name === 'partitions')
  expect(check?.detail).toMatch(/3 events lie in the DEFAULT partition.*this month has no partition/)
  const before = await store.readAll().toArray()

  const other = another()
  const busy = Array.from({ length: 50 }, (_, index) => other.append(`busy-${index % 7}`, some(1)))
  const [made] = await sql(`select create_monthly_partition(now()::date) as name`)
  expect(made).toEqual({ name: leaf })
  await Promise.all(busy)

  expect((await store.readAll().toArray()).slice(0, 3)).toEqual(before)
  expect(await sql('select count(*)::int as count from events_default')).toEqual([{ count: 0 }])
  expect(await sql(`select count(*)::int as count from ${leaf}`)).toEqual([{ count: 53 }])
  await expect(store.health()).resolves.toMatchObject({ status: 'ok' })
  expect(await store.append('late', [own])).toMatchObject({ duplicate: true })
  await expect(store.append('other', [own])).rejects.toMatchObject({ code: 'VARVE_DUPLICATE_EVENT' })
  expect(await store.verify()).toMatchObject({ ok: true, events: 53 })
})

it('keeps versions and event ids unique across months', async () => {
  const opened = await fresh()
  const { store } = opened
  const own = { id: '0192f3a0-0000-7000-8000-000000000002', type: 'tested', data: { a: 1 } }
  await inMonth(opened, monthsAgo(2), { a: [own] })
  expect((await store.getEvent(own.id))?.recordedAt.toISOString().slice(0, 7)).toBe(monthsAgo(2))
  await expect(store.append('a', some(1), { expectedVersion: 0 })).rejects.toMatchObject({ actualVersion: 1 })
  expect((await store.append('a', some(1), { expectedVersion: 1 })).version).toBe(2)

  expect(await store.append('a', [own])).toMatchObject({ version: 1, duplicate: true })
  await expect(store.append('b', [own])).rejects.toMatchObject({
    code: 'VARVE_DUPLICATE_EVENT',
    eventId: own.id,
  })
  await expect(store.append('a', [own, ...some(1)])).rejects.toMatchObject({ code: 'VARVE_DUPLICATE_EVENT' })
  await expect(store.transaction((tx) => tx.append('b', [own]))).rejects.toMatchObject({
    code: 'VARVE_DUPLICATE_EVENT',
  })
  const other = await store.forTenant('other').append('b', [own])
  expect(other).toMatchObject({ version: 1, duplicate: false })
  expect(await store.allTenants().verify()).toMatchObject({ ok: true, events: 3 })
})

it('keeps event ids unique across months in a transaction whose snapshot does not show them', async () => {
  const opened = await fresh()
  const { store } = opened
  const own = { id: '0192f3a0-0000-7000-8000-000000000003', type: 'tested', data: 1 }
  await store.partitions.create(monthsAgo(2))
  for (const level of ['repeatable read', 'serializable']) {
    const client = await owner().connect()
    await client.query(`begin isolation level ${level}`)
    await client.query('select 1 from pg_class limit 1')
    const id = `${own.id.slice(0, -1)}${level.length % 10}`
    await inMonth(opened, monthsAgo(2), { [`first ${level}`]: [{ ...own, id }] })
    const second = await store
      .using(client)
      .append(`second ${level}`, [{ ...own, id }])
      .catch((error: unknown) => error)
    await client.query('rollback')
    client.release()
    expect(second).toMatchObject({ code: 'VARVE_TRANSACTION_CONFLICT' })
  }
  expect(await store.readAll().count()).toBe(2)
})

it('waits for others who see to the partitions, however long that takes', async () => {
  const opened = await fresh()
  const { store, sql, schema } = opened
  await historyOf(opened, 2)
  const other = await owner().connect()
  await other.query('begin')
  await other.query(`set local search_path to ${schema}`)
  await other.query('select change_partitions()')
  let settled = false
  const name = partitionOf(monthsAgo(1))
  const dropped = store.partitions
    .drop(name, { force: [name] })
    .catch((error: unknown) => error)
    .finally(() => (settled = true))
  // longer than anybody waits for a lock that keeps appends waiting
  const waits = `select 1 from pg_locks where locktype = 'advisory' and not granted and clock_timestamp() - waitstart > interval '300 ms'
    and database = (select oid from pg_database where datname = current_database())`
  while (!settled && (await sql(waits)).length === 0);
  await other.query('commit')
  other.release()
  expect(await dropped).toEqual([name])
})

it('appends a thousand events with ids of the caller at once, and neighbours of a stored one', async () => {
  const opened = await fresh()
  const { store } = opened
  const id = (n: number): string => `0192f3a0-0000-7000-8000-${n.toString().padStart(12, '0')}`
  const batch = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: id(from + index), type: 't', data: index }))
  await inMonth(opened, monthsAgo(1), { old: batch(0, 1) })
  expect((await store.append('big', batch(1, 1_000))).version).toBe(1_000)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) =>
      store.append(`s${index}`, batch(index === 20 ? 0 : 2_000 + index, 1)),
    ),
  )
  expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1)
  expect(outcomes[20]).toMatchObject({ reason: { code: 'VARVE_DUPLICATE_EVENT' } })
})

it('closes months that are over, and refuses what a clock set back would add to them', async () => {
  const opened = await fresh()
  const { store, sql } = opened
  await historyOf(opened, 3)
  const [old] = await store.partitions.list()
  expect(old).toMatchObject({ state: 'closed', events: 6, firstPosition: 1, lastPosition: 6 })
  expect(old?.closedAt).toBeInstanceOf(Date)
  await expect(sql(`insert into events select * from ${old?.name} limit 1`)).rejects.toThrow(
    /is closed: the clock of the server has been set back/,
  )
})

it('sees to its partitions by itself, and says so when it cannot', async () => {
  const opened = await fresh()
  const leaf = partitionOf(monthsAgo(-3))
  await opened.sql(`drop table ${leaf}; delete from event_partitions where name = '${leaf}'`)
  const store = opened.another({ partitions: { maintainEveryMs: 5 } })
  await expect
    .poll(async () => (await store.partitions.list()).map(({ name }) => name), { timeout: 10_000 })
    .toContain(leaf)
  await opened.sql('alter function attached_partitions() rename to attached_elsewhere')
  await expect.poll(async () => (await store.health()).status, { timeout: 10_000 }).toBe('degraded')
  await opened.sql('alter function attached_elsewhere() rename to attached_partitions')
  await expect.poll(async () => (await store.health()).status, { timeout: 10_000 }).toBe('ok')
})

it('does not take the tables of the simple schema for its own, nor they these', async () => {
  const simple = createPostgresEventStore({ connectionString: database().url, schema: 'simple' })
  await simple.migrate()
  await expect(open({ schema: 'simple' }).migrate()).rejects.toMatchObject({ code: 'VARVE_MIGRATION' })
  await simple.close()
  const { schema } = await fresh()
  const other = createPostgresEventStore({ connectionString: database().url, schema })
  await expect(other.migrate()).rejects.toMatchObject({ code: 'VARVE_MIGRATION' })
  await other.close()
})

it('refuses nonsense before anything is sent', async () => {
  const { store } = await fresh()
  const invalid = { code: 'VARVE_INVALID_ARGUMENT' }
  await expect(store.partitions.create('2024-13')).rejects.toMatchObject(invalid)
  await expect(store.partitions.create('March')).rejects.toMatchObject(invalid)
  await expect(store.partitions.ensure({ ahead: -1 })).rejects.toMatchObject(invalid)
  await expect(store.partitions.drop({ monthsToKeep: 0 })).rejects.toMatchObject(invalid)
  await expect(store.partitions.drop('')).rejects.toMatchObject(invalid)
  expect(() => open({ partitions: { ahaed: 1 } as object })).toThrow(/no such option/)
  await expect(store.partitions.drop('events_1999_01')).rejects.toMatchObject({ code: 'VARVE_PARTITION' })
  await expect(store.partitions.detach('events_default')).rejects.toMatchObject({ code: 'VARVE_PARTITION' })
  await expect(
    store.partitions.drop(partitionOf(monthsAgo(0)), { force: [partitionOf(monthsAgo(0))] }),
  ).rejects.toThrow(/still open/)
})
