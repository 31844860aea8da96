import { hash } from 'node:crypto'
import { newEvent } from '@varve/core'
import type { Benchmark } from '../benchmark.ts'
import { runCallers } from '../callers.ts'
import { duel } from '../duel.ts'
import { newOrder } from '../payload.ts'
import { openPostgresBench } from '../postgres-bench.ts'

const EVENTS = 500

const text = `
insert into varve.events (tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
  metadata, tags, occurred_at, created_at, event_size_bytes, checksum)
select 'default', $1, 'order', e.version, e.id, e.type, 1, e.data::jsonb, e.metadata::jsonb, '{}', e.occurred_at, now(),
  e.size, e.checksum
from unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::int[], $9::bytea[])
  as e(version, id, type, data, metadata, occurred_at, size, checksum)`

/** 500 events in one call, against one prepared INSERT of 500 rows into the same table, its versions and checksum given. */
export const postgresAppendBatch: Benchmark = {
  name: 'append-batch',
  engine: 'postgres',
  async run(context) {
    await using bench = await openPostgresBench(context)
    const { store, pool } = bench
    let number = 0
    let stream = 0
    const checksum = Buffer.from(hash('sha256', ''), 'hex')
    const orders = () => Array.from({ length: EVENTS }, () => newOrder(number++))
    const bareInsert = () => {
      const events = orders().map((order) => newEvent(order))
      const data = events.map((event) => JSON.stringify(event.data))
      return pool.query({
        name: 'insert-500',
        text,
        values: [
          `bare-${stream++}`,
          events.map((_, index) => index + 1),
          events.map((event) => event.id),
          events.map((event) => event.type),
          data,
          events.map((event) => JSON.stringify(event.metadata)),
          events.map(() => new Date()),
          data.map((json) => Buffer.byteLength(json)),
          events.map(() => checksum),
        ],
      })
    }
    await duel(context, {
      benchmark: 'append 500',
      engine: 'postgres',
      label: '1 caller',
      target: { atLeast: 0.7 },
      ours: () =>
        runCallers(1, context.roundMs, () =>
          store.append(`batch-${stream++}`, orders(), { expectedVersion: 'no-stream', streamType: 'order' }),
        ),
      bare: () => runCallers(1, context.roundMs, bareInsert),
    })
  },
}
