import { randomUUID } from 'node:crypto'
import type { RecordedEvent } from '@varve/core'
import { expect, it } from 'vitest'
import { some } from './history.js'
import { useDatabase } from './store.js'
import { turnIn } from './turn.js'

const { fresh, owner } = useDatabase()

it('loses and refuses nothing at the turn of a month under load, and a reader that follows skips nothing', async () => {
  const opened = await fresh()
  const { store } = opened
  const other = opened.another()
  const { at, before, after } = await turnIn(opened, 1_000)
  const until = at.getTime() + 500
  let over = false

  const writers = Array.from({ length: 24 }, async (_, index) => {
    const through = index % 2 === 0 ? store : other
    for (let n = 0; ; n++) {
      const own = index % 3 === 0 ? some(1).map((event) => ({ ...event, id: randomUUID() })) : some(1)
      const { events } = await (index % 4 === 0
        ? through.transaction((tx) => tx.append(`t-${index}`, own, { expectedVersion: n }))
        : through.append(`s-${index}`, own, { expectedVersion: n }))
      if ((events[0]?.recordedAt.getTime() ?? 0) > until) return n + 1
    }
  })
  const maintenance = (async () => {
    while (!over) await Promise.all([store.partitions.ensure(), other.partitions.ensure()])
  })()
  const reader = opened.another()
  const followed: number[] = []
  const following = (async () => {
    for (let last = false; !last;) {
      last = over
      for await (const event of reader.readAll({ after: followed.at(-1) ?? 0 })) followed.push(event.position)
    }
  })()
  const counts = await Promise.all(writers)
  over = true
  await Promise.all([maintenance, following])

  const stored = await store.readAll().toArray()
  expect(stored).toHaveLength(counts.reduce((total, count) => total + count, 0))
  expect(followed).toEqual(stored.map(({ position }) => position))
  await store.partitions.ensure()
  const states = new Map((await store.partitions.list()).map((partition) => [partition.name, partition]))
  expect(states.get(before)).toMatchObject({ state: 'closed' })
  expect(states.get(before)?.events).toBeGreaterThan(0)
  expect(states.get(after)?.events).toBeGreaterThan(0)
  expect(states.get('events_default')?.events).toBe(0)
  expect(states.get(before)?.events).toBe(stored.filter(({ recordedAt }) => recordedAt < at).length)
  expect((await reader.readAll().toArray()).map(({ position }) => position)).toEqual(followed)
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
})

it('stores an id that two bring at once exactly once, also at the turn', async () => {
  const opened = await fresh()
  const { store } = opened
  const other = opened.another()
  const { at } = await turnIn(opened, 700)
  const until = at.getTime() + 300
  const pairs = Array.from({ length: 8 }, async (_, index) => {
    let rounds = 0
    for (let last = 0; last <= until; rounds++) {
      const event = { id: randomUUID(), type: 'tested', data: rounds }
      const outcomes = await Promise.allSettled([
        store.append(`x-${index}-${rounds}`, [event]),
        other.append(`y-${index}-${rounds}`, [event]),
      ])
      const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
      expect(failed.map(({ reason }) => (reason as { code: string }).code)).toEqual(['VARVE_DUPLICATE_EVENT'])
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') last = outcome.value.events[0]?.recordedAt.getTime() ?? 0
      }
    }
    return rounds
  })
  const rounds = (await Promise.all(pairs)).reduce((total, count) => total + count, 0)
  const [found] = await opened.sql(
    'select count(*)::int as count, count(distinct event_id)::int as ids from events',
  )
  expect(found).toEqual({ count: rounds, ids: rounds })
  expect(await store.verify()).toMatchObject({ ok: true })
})

it('makes an id of the caller wait for a transaction of the old month that brings it too', async () => {
  const opened = await fresh()
  const { store } = opened
  const other = opened.another()
  const { at } = await turnIn(opened, 400)
  const own = { id: randomUUID(), type: 'tested', data: 1 }
  let second: Promise<unknown> | undefined
  await store.transaction(async (tx) => {
    const { events } = await tx.append('first', [own])
    expect(events[0]?.recordedAt.getTime()).toBeLessThan(at.getTime())
    for (let n = 0, now = at; now <= at; n++) {
      now = (await other.append(`clock-${n}`, some(1))).events[0]?.recordedAt ?? now
    }
    second = other.append('second', [own]).catch((error: unknown) => error)
    const waiting = `select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`
    await expect.poll(() => opened.sql(waiting), { timeout: 10_000 }).toEqual([{ count: 1 }])
  })
  expect(await second).toMatchObject({ code: 'VARVE_DUPLICATE_EVENT', eventId: own.id })
  expect(await store.verify()).toMatchObject({ ok: true })
})

it('waits for a transaction that was held over the turn, whose events have positions above later ones', async () => {
  const opened = await fresh()
  const { store } = opened
  const other = opened.another()
  const { at, before } = await turnIn(opened, 700)
  await store.append('held-a', some(1))

  // somebody is about to make the stream that the append needs too: it has read the clock, and waits before it has positions
  const blocker = await owner().connect()
  await blocker.query('begin')
  await blocker.query(
    `insert into ${opened.schema}.event_streams values ('default', 'held-b', 'stream', 1, now(), now())`,
  )
  const held = store.appendMany([
    { streamId: 'held-a', events: some(2) },
    { streamId: 'held-b', events: some(2) },
  ])
  const later: RecordedEvent[] = []
  for (let n = 0; (later.at(-1)?.recordedAt ?? at) <= at; n++) {
    const { events } = await other.append(`later-${n}`, some(1))
    if ((events[0]?.recordedAt ?? at) > at) later.push(...events)
  }
  await store.partitions.ensure()
  const still = (await store.partitions.list()).find(({ name }) => name === before)
  expect(still?.state).toBe('open')

  await blocker.query('rollback')
  blocker.release()
  const results = await held
  const late = results.flatMap(({ events }) => events)
  expect(late.every(({ recordedAt }) => recordedAt < at)).toBe(true)
  expect(late.every(({ position }) => position > (later[0]?.position ?? 0))).toBe(true)

  await store.append('held-a', some(1))
  await store.partitions.ensure()
  const closed = (await store.partitions.list()).find(({ name }) => name === before)
  expect(closed).toMatchObject({ state: 'closed', lastPosition: late.at(-1)?.position })
  const reader = opened.another()
  const positions = async (after: number) =>
    (await reader.readAll({ after }).toArray()).map(({ position }) => position)
  const all = await positions(0)
  expect(all).toEqual(
    (await opened.sql('select position::int from events order by 1')).map((row) => row['position']),
  )
  for (const after of [...all.keys()].filter((index) => index % 5 === 0)) {
    expect(await positions(all[after] ?? 0)).toEqual(all.slice(after + 1))
  }
  const backwards = (await reader.readAll({ direction: 'backwards' }).toArray()).map(
    ({ position }) => position,
  )
  expect(backwards).toEqual(all.toReversed())
  expect((await reader.readStream('held-a').toArray()).map(({ version }) => version)).toEqual([1, 2, 3, 4])
})
