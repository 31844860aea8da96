import { defineProjection } from '@varve/core'
import { expect, it } from 'vitest'
import { historyOf, inMonth, monthsAgo, partitionOf, some } from './history.js'
import { useDatabase } from './store.js'

const { fresh } = useDatabase()
const gone = { code: 'VARVE_PARTITION' }

it('refuses a month that a live stream needs, unless forced by its name', async () => {
  const opened = await fresh()
  const { store } = opened
  await historyOf(opened, 4)
  const [first, second] = [3, 2].map((ago) => partitionOf(monthsAgo(ago)))
  await expect(store.partitions.drop(first ?? '')).rejects.toThrow(/still needed by .*stream long /)
  await expect(store.partitions.drop({ monthsToKeep: 1 })).rejects.toMatchObject(gone)
  await expect(store.partitions.drop(first ?? '', { force: [second ?? ''] })).rejects.toMatchObject(gone)
  expect(await store.readAll().count()).toBe(4 * 6)
  await store.archiveStream(`only-${monthsAgo(3)}`)
  await expect(store.partitions.drop(first ?? '')).rejects.toThrow(
    /still needed by stream long \(tenant 'default', live/,
  )
  expect(await store.partitions.drop(first ?? '', { force: [first ?? ''] })).toEqual([first])
  expect(await store.readAll({ after: 6 }).count()).toBe(3 * 6)
})

it('refuses what a projection or a snapshot-less stream needs', async () => {
  const opened = await fresh()
  const { store, sql } = opened
  await inMonth(opened, monthsAgo(3), { a: some(4) })
  await store.append('a', some(1))
  await store.partitions.ensure()
  const name = partitionOf(monthsAgo(3))
  const snapshot = (version: number) => store.snapshots.save('a', { version, state: {} })
  await snapshot(3)
  await expect(store.partitions.drop(name)).rejects.toThrow(/stream a/)
  await snapshot(4)
  await sql(
    `insert into projection_checkpoints (tenant_id, projection_name, projection_version, shard, shards, last_position, status, log_id)
     values ('', 'stock', 1, 0, 1, 3, 'running', gen_random_uuid())`,
  )
  await expect(store.partitions.drop(name)).rejects.toThrow(
    /still needed by projection stock \(version 1, tenant '', at position 3\)/,
  )
  await sql('update projection_checkpoints set last_position = 4')
  expect(await store.partitions.drop({ monthsToKeep: 1 })).toEqual([name])
})

it('refuses what holds events that were parked', async () => {
  const opened = await fresh()
  const { store } = opened
  await inMonth(opened, monthsAgo(3), { a: some(3) })
  await store.archiveStream('a')
  await store.partitions.ensure()
  const failing = defineProjection({
    name: 'stock',
    handles: { tested: () => Promise.reject(new Error('on purpose')) },
    onError: 'park',
  })
  const runner = store.projections.run([failing], { onError: () => undefined })
  await runner.caughtUp()
  await runner.stop()
  const name = partitionOf(monthsAgo(3))
  await expect(store.partitions.drop(name)).rejects.toThrow(
    /still needed by 3 parked events of projection stock \(version 1, tenant 'default'\)/,
  )
  await store.projections.parked.discard('stock')
  expect(await store.partitions.drop(name)).toEqual([name])
})

it('says what was dropped where it is read, and reads what is retained', async () => {
  const opened = await fresh()
  const { store, sql } = opened
  const other = opened.another()
  await historyOf(opened, 6)
  expect(await other.readAll().count()).toBe(36)
  const names = [5, 4].map((ago) => partitionOf(monthsAgo(ago)))
  const dropped = await sql('select * from drop_old_partitions(3, $1) as name', [names])
  expect(dropped).toEqual(names.map((name) => ({ name })))

  for (const reader of [store, other]) {
    await expect(reader.readAll().toArray()).rejects.toMatchObject(gone)
    await expect(reader.readAll().first()).rejects.toThrow(`were dropped with ${names.join(' and ')}`)
    await expect(reader.readAll().count()).rejects.toThrow('{ after: 12 }')
    await expect(reader.readAll({ after: 7 }).toArray()).rejects.toMatchObject(gone)
    expect(await reader.readAll({ after: 12 }).count()).toBe(24)
    expect((await reader.readAll().last())?.position).toBe(await store.lastPosition())
    const backwards: number[] = []
    await expect(
      (async () => {
        for await (const { position } of reader.readAll({ direction: 'backwards' })) backwards.push(position)
      })(),
    ).rejects.toMatchObject(gone)
    expect(backwards).toHaveLength(24)

    await expect(reader.readStream('long').toArray()).rejects.toThrow(
      `Versions 1 to 2 of stream 'long' cannot be read: dropped with ${names.join(' and ')}`,
    )
    await expect(reader.readStream('long').first()).rejects.toMatchObject(gone)
    await expect(reader.readStream('long').count()).rejects.toMatchObject(gone)
    await expect(reader.readStream('long', { toVersion: 1 }).toArray()).rejects.toMatchObject(gone)
    await expect(reader.readStream(`only-${monthsAgo(5)}`).toArray()).rejects.toThrow(
      `dropped with ${names[0]}.`,
    )
    expect(
      (await reader.readStream('long', { fromVersion: 3 }).toArray()).map(({ version }) => version),
    ).toEqual([3, 4, 5, 6])
    expect((await reader.readStream('long').last())?.version).toBe(6)
    const versions: number[] = []
    await expect(
      (async () => {
        for await (const { version } of reader.readStream('long', { direction: 'backwards' }))
          versions.push(version)
      })(),
    ).rejects.toMatchObject(gone)
    expect(versions).toEqual([6, 5, 4, 3])
    await expect(reader.transaction((tx) => tx.readStream('long').toArray())).rejects.toMatchObject(gone)
  }
  expect(await store.verify()).toMatchObject({ ok: true, events: 24, problems: [] })
  expect(await store.statistics()).toMatchObject({
    events: 24,
    streams: 7,
    lastPosition: await store.lastPosition(),
  })
  expect(
    (await store.partitions.list()).slice(0, 3).map(({ name, state, events }) => [name, state, events]),
  ).toEqual([
    [names[0], 'dropped', 6],
    [names[1], 'dropped', 6],
    [partitionOf(monthsAgo(3)), 'closed', 6],
  ])
  expect((await store.append('long', some(1))).version).toBe(7)
  await expect(store.partitions.create(monthsAgo(5))).rejects.toThrow(/was taken out of the log/)
})

it('does not pass in silence over a month that is dropped while it is read', async () => {
  const opened = await fresh()
  await historyOf(opened, 3, 1_100)
  const name = partitionOf(monthsAgo(2))
  const read: number[] = []
  await expect(
    (async () => {
      for await (const { position } of opened.another().readAll()) {
        if (read.push(position) === 1) await opened.store.partitions.drop(name, { force: [name] })
      }
    })(),
  ).rejects.toThrow(`dropped with ${name}`)
  // what had been fetched is handed out
  expect(read.length).toBeLessThan(1_101)
  expect(read).toEqual(Array.from(read, (_, index) => index + 1))
})

it('still finds damage beside what was dropped', async () => {
  const opened = await fresh()
  const { store, sql } = opened
  await historyOf(opened, 5)
  const name = partitionOf(monthsAgo(4))
  await store.partitions.drop(name, { force: [name] })
  await sql(
    `begin; set local varve.maintenance = 'on'; delete from events where stream_id = 'long' and version = 4; commit`,
  )
  const { problems } = await store.verify()
  expect(problems.map(({ kind, streamId }) => [kind, streamId])).toEqual([['version-gap', 'long']])
})

it('keeps its settled position when all that was written is dropped', async () => {
  const opened = await fresh()
  const { store } = opened
  await inMonth(opened, monthsAgo(2), { a: some(5) })
  await store.archiveStream('a')
  await store.partitions.ensure()
  expect(await store.partitions.drop({ monthsToKeep: 1 })).toHaveLength(1)
  expect(await store.settledPosition()).toBe(5)
  expect(await opened.another().settledPosition()).toBe(5)
  expect(await store.readAll({ after: 5 }).toArray()).toEqual([])
  await expect(store.readAll().toArray()).rejects.toMatchObject(gone)
  expect((await store.append('b', some(1))).position).toBeGreaterThan(5)
})

it('detaches and drops beside appends, which wait for nothing long and fail at nothing', async () => {
  const opened = await fresh()
  const { store } = opened
  await historyOf(opened, 8)
  let over = false
  const writers = Array.from({ length: 16 }, async (_, index) => {
    let count = 0
    while (!over) {
      if (index % 4 === 0) await store.transaction((tx) => tx.append(`w-${index}`, some(1)))
      else await store.append(`w-${index}`, some(1), { expectedVersion: count })
      count++
    }
    return count
  })
  for (let ago = 7; ago >= 2; ago--) {
    const name = partitionOf(monthsAgo(ago))
    if (ago % 2 === 0) await store.partitions.detach(name, { force: [name] })
    await store.partitions.drop(name, { force: [name] })
  }
  over = true
  const counts = await Promise.all(writers)
  const [{ count } = { count: 0 }] = (await opened.sql(
    `select count(*)::int as count from events where stream_id like 'w-%'`,
  )) as { count: number }[]
  expect(count).toBe(counts.reduce((total, one) => total + one, 0))
  expect(await store.verify()).toMatchObject({ ok: true })
})
