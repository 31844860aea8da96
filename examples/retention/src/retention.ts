import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDuplicateEventError, isPartitionError, newEvent } from '@varve/core'
import type { PartitionedEventStore } from '@varve/postgres-partitioned'
import { appendInMonth } from './history.ts'
import { monthsAgo, partitionOf } from './months.ts'

const MONTHS = 26
const KEPT = 24

export interface Setting {
  readonly store: PartitionedEventStore
  readonly schema: string
  readonly write: (line: string) => void
}

/** Spreads events over 26 months, keeps two years of them, and shows what holds meanwhile. */
export async function runRetention({ store, schema, write }: Setting): Promise<boolean> {
  let ok = true
  const expect = (what: string, holds: boolean): void => {
    ok &&= holds
    write(`${holds ? 'ok  ' : 'FAIL'} ${what}`)
  }
  await store.migrate()
  if ((await store.lastPosition()) > 0) {
    write(
      `The schema "${schema}" has events already: this example makes up a history of its own, give it an empty one.`,
    )
    return false
  }

  const reading = (kWh: number) => newEvent({ type: 'meter.read', data: { kWh } })
  const known = reading(100)
  for (let ago = MONTHS; ago >= 1; ago--) {
    const month = monthsAgo(ago)
    await appendInMonth(
      store,
      schema,
      month,
      new Map([
        [`meter-a-${month}`, [reading(1), reading(2)]],
        ['meter-long', [ago === 3 ? known : reading(ago)]],
      ]),
    )
    await store.archiveStream(`meter-a-${month}`)
  }
  await store.partitions.ensure()
  const before = await store.partitions.list()
  write(
    `${await store.readAll().count()} events in ${before.filter(({ events }) => events > 0).length} months`,
  )

  expect(
    'an id of another month is known: a repetition gives the original',
    (await store.append('meter-long', [known])).duplicate,
  )
  const elsewhere = await failure(() => store.append('meter-new', [known]))
  expect('… and is refused in another stream', isDuplicateEventError(elsewhere))

  const old = await failure(() => store.partitions.drop({ monthsToKeep: KEPT }))
  expect('a live stream without a snapshot keeps its first months from being dropped', isPartitionError(old))
  if (isPartitionError(old)) write(`     ${old.message}`)

  const oldest = [MONTHS, MONTHS - 1].map((ago) => partitionOf(monthsAgo(ago)))
  const directory = await mkdtemp(join(tmpdir(), 'varve-retention-'))
  try {
    for (const name of oldest) {
      const { events, bytes, sha256 } = await store.partitions.archive(name, { directory })
      write(`archived ${name}: ${events} events in ${bytes} bytes, SHA-256 ${sha256.slice(0, 12)}…`)
    }
    const started = performance.now()
    const dropped = await store.partitions.drop({ monthsToKeep: KEPT }, { force: oldest })
    write(`dropped ${dropped.join(' and ')} in ${(performance.now() - started).toFixed(0)} ms`)
    expect('two months are gone', dropped.length === MONTHS - KEPT)

    const from0 = await failure(() => store.readAll().toArray())
    expect('a read from the beginning says so', isPartitionError(from0))
    if (isPartitionError(from0)) write(`     ${from0.message}`)
    expect('what is retained can be read', (await store.readAll({ after: 6 }).count()) === KEPT * 3)
    expect(
      'the long stream can be read from its third version on',
      (await store.readStream('meter-long', { fromVersion: 3 }).count()) === KEPT,
    )
    expect('verify finds nothing wrong', (await store.verify()).ok)

    await store.partitions.restore(join(directory, `${oldest[1]}.manifest.json`))
    expect(
      'a month comes back from its archive',
      (await store.readStream('meter-long', { fromVersion: 2 }).count()) === KEPT + 1,
    )
    expect('verify finds nothing wrong with it', (await store.verify()).ok)
  } finally {
    await rm(directory, { recursive: true })
  }
  write(ok ? '\nAll expectations hold.' : '\nNot all expectations hold.')
  return ok
}

async function failure(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}
