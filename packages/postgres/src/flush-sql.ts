import { checksum, columns, durable } from './append-sql.js'
import type { Names } from './names.js'

export interface FlushKind {
  /** Whether streams may have to be made; where all exist, half of the work of a small flush is spared. */
  readonly creating: boolean
  /** Whether a head that somebody holds is passed over. Without it, and not `creating`, for a single write. */
  readonly skipLocked: boolean
}

/** How long appends of several callers wait together for somebody who is making one of their streams, or stores one of their ids. */
const together = `(select set_config('lock_timeout', '200ms', true)) together`

/** The events, one by one, of arrays that `parameters` of the appends make. */
const events = `unnest((select $6::int4[]), $7::int4[], $8::uuid[], $9::text[], $10::int4[], $11::text[], $12::text[], $13::text[],
      $14::text[], $15::text[], $16::text[], $17::timestamptz[], $18::int4[], $19::text[], $20::text[], $21::text[])
      with ordinality as e(no, nth, id, type, schema_version, data, metadata, tags, correlation_id, causation_id,
        created_by, occurred_at, size, pre, post, tail, ord)`

/** A first array that the planner cannot look into: it would make a new plan for each flush of less than ten rows. */
const writes = `unnest((select $1::text[]), $2::text[], $3::text[], $4::int8[], $5::int4[]) with ordinality
    as w(tenant_id, stream_id, stream_type, expected, events, no)`

/**
 * Any number of writes: heads that exist are locked in the order of their keys, then updated. A head that is not as expected
 * is a miss: the store looks, and tries again. Where appends of several callers share the statement, a head that somebody
 * holds is a miss too (`skipLocked`): it is waited for apart. Without its `limit 1`, heads would be joined, which locks in
 * any order and may read the whole table.
 * Parameters: 1–5 the writes (tenant, stream, type or null, expected, number of events); 6– the events (number of the write
 * from 1, number in the write from 1, then as above).
 */
export function flushStatement(names: Names, kind: FlushKind): string {
  const locking = `limit 1 for no key update${kind.skipLocked ? ' skip locked' : ''}`
  return kind.creating ? anyStreams(names, kind, locking) : existingStreams(names, kind, locking)
}

function existingStreams(names: Names, { skipLocked }: FlushKind, locking: string): string {
  return `
with locked as materialized (
  select w.no, w.events, s.tenant_id, s.stream_id
  from ${writes}
  cross join lateral (
    select tenant_id, stream_id, stream_type, version, archived_at from ${names.streams} s
    where s.tenant_id = w.tenant_id and s.stream_id = w.stream_id
    ${locking}
  ) s
  where s.archived_at is null and (w.stream_type is null or w.stream_type = s.stream_type)
    and (w.expected < 0 or w.expected = s.version) and s.version > 0
), heads as (${updated(names, 'true')}
)${storing(names, skipLocked)}`
}

/**
 * Heads that do not exist are made, in the order of their keys as well. One that somebody else makes at that moment is a
 * miss; one that somebody has made and not committed cannot be seen: the statement waits for him, for so long, and fails
 * with 55P03.
 */
function anyStreams(names: Names, { skipLocked }: FlushKind, locking: string): string {
  return `
with w as materialized (
  select * from ${writes}
  order by tenant_id collate "C", stream_id collate "C"
), locked as materialized (
  select w.no, w.events, w.tenant_id, w.stream_id, s.stream_type, s.version, s.updated_at,
    (s.archived_at is null or w.events = 0) and (w.stream_type is null or w.stream_type = s.stream_type)
      and (w.expected = -1 or w.expected = s.version or (w.expected = -2 and s.version > 0)) as admitted
  from w cross join lateral (
    select stream_type, version, updated_at, archived_at from ${names.streams} s
    where s.tenant_id = w.tenant_id and s.stream_id = w.stream_id
    ${locking}
  ) s
), updated as (${updated(names, 'l.admitted and l.events > 0')}
), created as (
  insert into ${names.streams} as s (tenant_id, stream_id, stream_type, version, created_at, updated_at)
  select w.tenant_id, w.stream_id, coalesce(w.stream_type, 'stream'), w.events, now.at, now.at
  from w, (select clock_timestamp() as at) now${skipLocked ? `, ${together}` : ''}
  where w.expected in (-1, 0) and not exists (select from locked l where l.no = w.no)${
    // an insert beside a head that somebody is updating would wait for him
    skipLocked
      ? `
    and not exists (select from ${names.streams} s where s.tenant_id = w.tenant_id and s.stream_id = w.stream_id)`
      : ''
  }
  order by w.tenant_id collate "C", w.stream_id collate "C"
  on conflict do nothing
  returning s.tenant_id, s.stream_id, s.version, s.stream_type, s.updated_at as at
), heads as materialized (
  select no, tenant_id, stream_id, before, version, stream_type, at from updated
  union all
  select w.no, c.tenant_id, c.stream_id, 0, c.version, c.stream_type, c.at
  from created c join w on w.tenant_id = c.tenant_id and w.stream_id = c.stream_id
  union all
  select no, tenant_id, stream_id, version, version, stream_type, updated_at from locked where admitted and events = 0
)${storing(names, skipLocked)}`
}

const updated = (names: Names, admitted: string): string => `
  update ${names.streams} s
  set version = s.version + l.events, updated_at = greatest(clock_timestamp(), s.updated_at)
  from locked l
  where ${admitted} and s.tenant_id = l.tenant_id and s.stream_id = l.stream_id
  returning l.no, s.tenant_id, s.stream_id, s.version - l.events as before, s.version, s.stream_type, s.updated_at as at`

/** Stores the events behind `heads`. One row tells of all: a row for each head would cost client and server more. */
function storing(names: Names, skipLocked: boolean): string {
  const e = (column: string): string => `e.${column}`
  return `, stored as (
  insert into ${names.events} (${columns})
  select nextval('${names.positions}'), e.* from (
    select h.tenant_id, h.stream_id, h.stream_type, h.before + e.nth, e.id, e.type, e.schema_version,
      e.data::${names.dataType}, e.metadata::jsonb, e.tags::text[], e.correlation_id, e.causation_id, e.created_by,
      e.occurred_at, h.at, e.size, ${checksum(e, 'h.stream_type', '(h.before + e.nth)')}
    from ${events}
    join heads h on h.no = e.no${skipLocked ? ` cross join ${together}` : ''}
    order by e.ord
  ) e
  returning position, checksum
)
select h.*, s.*, ${durable} from (
  select array_agg(no)::text, array_agg(version)::text, json_agg(stream_type)::text,
    array_agg(at at time zone 'UTC')::text
  from heads
) h, (
  select array_agg(position order by position)::text, string_agg(encode(checksum, 'hex'), '' order by position)
  from stored
) s`
}
