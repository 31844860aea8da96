import { createPostgresEventStore } from '@varve/postgres'
import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import pg from 'pg'
import type { Context } from './benchmark.ts'
import { fillStore } from './fill.ts'

/** Months over which the log is spread, this one included. */
export const MONTHS = 60
const SMALL = 10_000
const PER_STREAM = 100

const schemas = { whole: 'whole', monthly: 'monthly', small: 'small', smallMonthly: 'small_monthly' }

export type MonthsBench = Awaited<ReturnType<typeof openMonthsBench>>

/**
 * The same events in one table and in monthly partitions, in one database; and 10,000 of them again in either, as a log that
 * is young. Streams have 100 events, in one month each, but for `wide-…`, which have one in each of many months.
 */
export async function openMonthsBench(context: Context, events: number) {
  const database = await context.servers.postgresDatabase()
  const connection = { connectionString: database.url, preset: 'production' } as const
  const stores = {
    whole: createPostgresEventStore({ ...connection, schema: schemas.whole }),
    monthly: createPartitionedPostgresEventStore({ ...connection, schema: schemas.monthly }),
    small: createPostgresEventStore({ ...connection, schema: schemas.small }),
    smallMonthly: createPartitionedPostgresEventStore({ ...connection, schema: schemas.smallMonthly }),
  }
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  for (const store of Object.values(stores)) await store.migrate()
  await fillStore(stores.small, { events: SMALL, perStream: PER_STREAM, prefix: 'filled', callers: 4 })
  const sql = (text: string) => pool.query(text)

  const since = `date_trunc('month', now()) - interval '${MONTHS - 1} months'`
  for (let ago = MONTHS - 1; ago > 0; ago--) {
    const month = `(date_trunc('month', now()) - interval '${ago} months')::date`
    for (const schema of [schemas.monthly, schemas.smallMonthly])
      await sql(`select ${schema}.create_monthly_partition(${month})`)
  }
  await copy(sql, schemas.small, schemas.smallMonthly, 1, since)
  await copy(sql, schemas.small, schemas.whole, events / SMALL, since)
  await copy(sql, schemas.small, schemas.monthly, events / SMALL, since)
  for (const store of [stores.monthly, stores.smallMonthly]) await store.partitions.ensure()
  await sql('vacuum analyze')

  return {
    ...stores,
    sql,
    async [Symbol.asyncDispose]() {
      for (const store of Object.values(stores)) await store.close()
      await pool.end()
      await database.drop()
    },
  }
}

/** Fills a log with so many copies of another one, recorded from `since` until now. Only checksums are not as they should be. */
async function copy(
  sql: (text: string) => Promise<unknown>,
  from: string,
  to: string,
  copies: number,
  since: string,
): Promise<void> {
  const columns =
    'tenant_id, stream_type, version, event_type, schema_version, event_data, metadata, tags, correlation_id, causation_id, ' +
    'created_by, occurred_at, event_size_bytes, checksum'
  const part = `(position + number * ${SMALL})::float8 / ${copies * SMALL}`
  await sql(
    `insert into ${to}.events (position, stream_id, event_id, created_at, ${columns}) ` +
      `select position + number * ${SMALL}, stream_id || '-' || number, gen_random_uuid(), ` +
      `${since} + (now() - (${since})) * (${part}), ${columns} ` +
      `from generate_series(0, ${copies - 1}) number, ${from}.events order by number, position`,
  )
  await sql(
    `insert into ${to}.event_streams (tenant_id, stream_id, stream_type, version, created_at, updated_at) ` +
      `select tenant_id, stream_id, min(stream_type), max(version), min(created_at), max(created_at) from ${to}.events group by 1, 2`,
  )
  await sql(`select setval('${to}.events_position_seq', ${copies * SMALL})`)
}
