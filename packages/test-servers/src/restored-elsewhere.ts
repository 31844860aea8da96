import { defineProjection } from '@varve/core'
import type { EventStore } from '@varve/core'
import { expect } from 'vitest'
import { copyPostgresTables } from './postgres-copy.ts'
import { runOnPostgres, startPostgres } from './postgres.ts'

/**
 * A log that is restored into another cluster, whose transaction ids are far lower, goes on as if nothing had happened: readers
 * skip nothing, projections go on behind their checkpoints, appends go on behind the last position.
 */
export async function restoresElsewhereSurvive(open: (url: string) => EventStore): Promise<void> {
  await using old = await startPostgres()
  await using young = await startPostgres()
  // transaction ids of the old one are ahead
  await runOnPostgres(
    old.url,
    'do $$ begin for n in 1..2000 loop perform pg_current_xact_id(); commit; end loop; end $$',
  )
  const seen: number[] = []
  const projection = defineProjection({
    name: 'counted',
    handles: { counted: ({ position }) => void seen.push(position) },
  })
  const write = (store: EventStore, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, n) => store.append(`s-${n % 7}`, [{ type: 'counted', data: n }])),
    )
  await using before = open(old.url)
  await before.migrate()
  await write(before, 100)
  const first = before.projections.run([projection])
  await first.caughtUp()
  await first.stop()
  await write(before, 50)

  await using after = open(young.url)
  await after.migrate()
  await copyPostgresTables(
    old.adminUrl.replace(/\/postgres$/, '/varve'),
    young.adminUrl.replace(/\/postgres$/, '/varve'),
    'varve',
  )
  await using restored = open(young.url)
  expect(await restored.verify()).toMatchObject({ ok: true, events: 150 })
  await write(restored, 50)
  const all = (await restored.readAll().toArray()).map(({ position }) => position)
  expect(all).toHaveLength(200)
  const second = restored.projections.run([projection])
  await second.caughtUp()
  await second.stop()
  expect(seen).toEqual(all)
}
