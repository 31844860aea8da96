// What sixty monthly partitions cost against one table with the same events, and what growth costs either:
//   pnpm build && node packages/postgres-partitioned/bench/sixty-months.ts [events, 600000 when absent]
import { randomUUID } from 'node:crypto'
import type { EventStore } from '@varve/core'
import { createPostgresEventStore } from '@varve/postgres'
import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import type { PartitionedEventStore } from '@varve/postgres-partitioned'
import { createDatabaseOn, startPostgres } from '@varve/test-servers'
import pg from 'pg'

const MONTHS = 60
const SMALL = 10_000
const total = Number(process.argv[2] ?? 600_000)

await using server = await startPostgres({
  fsync: true,
  settings: { shared_buffers: '1GB', max_wal_size: '8GB' },
})
await using database = await createDatabaseOn(server)
const sql = new pg.Pool({ connectionString: database.url, max: 1 })
sql.on('error', () => undefined)
const now = new Date()
const since = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - MONTHS + 1))

interface Sides {
  readonly single: EventStore
  readonly months: PartitionedEventStore
}

/** Both stores, each with so many events, spread over the months. */
async function prepare(size: number): Promise<Sides> {
  const options = { connectionString: database.url, pool: { max: 20, min: 2 } }
  const single = createPostgresEventStore({ ...options, schema: `single_${size}` })
  const months = createPartitionedPostgresEventStore({
    ...options,
    schema: `months_${size}`,
    partitions: { maintainEveryMs: 0, closeAfterMs: 0 },
  })
  await Promise.all([single.migrate(), months.migrate()])
  for (let month = 0; month < MONTHS; month++) {
    await months.partitions.create(new Date(Date.UTC(since.getUTCFullYear(), since.getUTCMonth() + month)))
  }
  for (const schema of [`single_${size}`, `months_${size}`]) {
    const started = performance.now()
    await load(schema, size)
    console.error(`${schema}: loaded in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  }
  await months.partitions.ensure()
  return { single, months }
}

/** Streams of a hundred events, ten of which grow at a time. */
async function load(schema: string, size: number): Promise<void> {
  for (let start = 0; start < size; start += 100_000) {
    await sql.query(
      `insert into ${schema}.events
       select nextval('${schema}.events_position_seq'), 'default', 's' || (n / 1000) * 10 + n % 10, 'order', (n % 1000) / 10 + 1,
         md5('e' || n)::uuid, 'order.' || n % 9, 1,
         jsonb_build_object('orderId', n, 'note', repeat('x', 300)), jsonb_build_object('userId', n % 1000, 'region', repeat('r', 80)),
         '{}', null, null, null, t.at, t.at, 350, sha256('x')
       from generate_series($1::int, $2::int) n,
         lateral (select $3::timestamptz + (now() - $3::timestamptz) * (n::float8 / $4::int) as at) t order by n`,
      [start, Math.min(size, start + 100_000) - 1, since, size],
    )
  }
  await sql.query(
    `insert into ${schema}.event_streams select tenant_id, stream_id, 'order', max(version), min(created_at), max(created_at)
     from ${schema}.events group by 1, 2`,
  )
  await sql.query(`vacuum analyze ${schema}.events`)
  await sql.query(`vacuum analyze ${schema}.event_streams`)
}

let round = 0

async function appends(store: EventStore, own: boolean): Promise<number> {
  const [callers, each] = [64, 30]
  round++
  const started = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let n = 0; n < each; n++) {
        await store.append(`append-${round}-${caller}`, [
          {
            ...(own && { id: randomUUID() }),
            type: 'order.placed',
            data: { orderId: n, note: 'x'.repeat(300) },
            metadata: { userId: caller, region: 'r'.repeat(80) },
          },
        ])
      }
    }),
  )
  return (performance.now() - started) / (callers * each)
}

async function pages(store: EventStore, size: number): Promise<number> {
  const count = 40
  let spent = 0
  for (let n = 0; n < count; n++) {
    const after = Math.floor(((n + 0.5) / count) * (size - 1_000))
    const started = performance.now()
    const page = await store.readAll({ after, limit: 1_000 }).toArray()
    spent += performance.now() - started
    if (page.length !== 1_000) throw new Error(`a page of ${page.length} events`)
  }
  return spent / count
}

async function streams(store: EventStore, size: number): Promise<number> {
  const count = 200
  let spent = 0
  for (let n = 0; n < count; n++) {
    const stream = `s${Math.floor((n / count) * (size / 1_000)) * 10 + (n % 10)}`
    const started = performance.now()
    const events = await store.readStream(stream).toArray()
    spent += performance.now() - started
    if (events.length !== 100) throw new Error(`${stream} has ${events.length} events`)
  }
  return spent / count
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

interface Figure {
  readonly single: number
  readonly months: number
  readonly ratio: number
}

/** In turns, so that what else the machine does befalls both; the ratio is the median of the rounds'. */
async function compare(
  { single, months }: Sides,
  label: string,
  measure: (store: EventStore) => Promise<number>,
  rounds = 9,
): Promise<Figure> {
  await measure(single)
  await measure(months)
  const taken: { single: number; months: number }[] = []
  for (let n = 0; n < rounds; n++) {
    const first = n % 2 === 0 ? await measure(single) : await measure(months)
    const second = n % 2 === 0 ? await measure(months) : await measure(single)
    taken.push(n % 2 === 0 ? { single: first, months: second } : { single: second, months: first })
  }
  const figure = {
    single: median(taken.map((one) => one.single)),
    months: median(taken.map((one) => one.months)),
    ratio: median(taken.map((one) => one.months / one.single)),
  }
  const ms = (value: number) => `${value.toFixed(3)} ms`.padStart(11)
  console.log(`${label.padEnd(44)} ${ms(figure.single)} ${ms(figure.months)}   × ${figure.ratio.toFixed(2)}`)
  return figure
}

async function all(sides: Sides, size: number): Promise<Record<'append' | 'page', Figure>> {
  const label = (what: string): string => `${what}, ${size} events`
  const page = await compare(sides, label('readAll, a page of 1,000'), (store) => pages(store, size))
  await compare(sides, label('readStream, 100 events'), (store) => streams(store, size))
  const append = await compare(sides, label('append, 64 callers, ids made'), (store) => appends(store, false))
  await compare(sides, label('append, 64 callers, ids given'), (store) => appends(store, true))
  return { append, page }
}

console.log(`${''.padEnd(44)} ${'one table'.padStart(11)} ${`${MONTHS} months`.padStart(11)}`)
const few = await prepare(SMALL)
const small = await all(few, SMALL)
const many = await prepare(total)
const large = await all(many, total)
for (const what of ['append', 'page'] as const) {
  for (const side of ['single', 'months'] as const) {
    const growth = (large[what][side] / small[what][side]).toFixed(2)
    console.log(`growth of ${what} from ${SMALL} to ${total} events, ${side}: × ${growth}`)
  }
}
const started = performance.now()
const [oldest] = await many.months.partitions.list()
const listed = performance.now()
await many.months.partitions.drop(oldest?.name ?? '', { force: [oldest?.name ?? ''] })
console.log(
  `dropping ${oldest?.events} events: ${(performance.now() - listed).toFixed(0)} ms (list(): ${(listed - started).toFixed(0)} ms)`,
)
await Promise.all([few.single, few.months, many.single, many.months].map((store) => store.close()))
await sql.end()
