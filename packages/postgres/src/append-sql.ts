import type { Names } from './names.js'

/** Columns that both statements fill, in this order. */
const columns = `position, tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
  metadata, tags, correlation_id, causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum`

/** The canonical JSON of the contract's section 8, whose checksum is taken where the version is known: here. */
const checksum = (e: (column: string) => string, streamType: string, version: string): string =>
  `sha256(convert_to(${e('pre')} || ${e('data')} || ',"id":"' || ${e('id')}::text || '","metadata":' || ${e('metadata')} ` +
  `|| ${e('post')} || to_json(${streamType})::text || ${e('tail')} || ${version}::text || '}', 'UTF8'))`

/** An append acknowledged must survive a crash, whatever the session's setting; this works behind poolers too. */
const durable = `set_config('synchronous_commit', 'on', true)`

/** How long appends of several callers wait together for somebody who is making one of their streams. */
const together = `set_config('lock_timeout', '200ms', true)`

/**
 * One event to one stream, without arrays: a lone append goes out as this.
 * Parameters: 1 tenant, 2 stream, 3 type or null, 4 expected, then the event's (see `parameters`).
 */
export function singleStatements(names: Names): { creating: string; existing: string } {
  const parameters = [
    'id',
    'type',
    'schema_version',
    'data',
    'metadata',
    'tags',
    'correlation_id',
    'causation_id',
    'created_by',
    'occurred_at',
    'size',
    'pre',
    'post',
    'tail',
  ]
  const casts: Record<string, string> = {
    id: 'uuid',
    schema_version: 'int4',
    tags: 'text[]',
    occurred_at: 'timestamptz',
    size: 'int4',
  }
  const e = (column: string): string => `$${parameters.indexOf(column) + 5}::${casts[column] ?? 'text'}`
  const insert = `
insert into ${names.events} (${columns})
select nextval('${names.positions}'), $1, $2, h.stream_type, h.version, ${e('id')}, ${e('type')}, ${e('schema_version')},
  ${e('data')}::${names.dataType}, ${e('metadata')}::jsonb, ${e('tags')}, ${e('correlation_id')}, ${e('causation_id')},
  ${e('created_by')}, ${e('occurred_at')}, h.at, ${e('size')}, ${checksum(e, 'h.stream_type', 'h.version')}
from head h, (select ${durable}) durable
returning position, version, stream_type, created_at at time zone 'UTC', encode(checksum, 'hex')`
  const admits = `s.archived_at is null and ($3::text is null or s.stream_type = $3::text)`
  const set = `version = s.version + 1, updated_at = greatest(clock_timestamp(), s.updated_at)`
  return {
    creating: `
with head as (
  insert into ${names.streams} as s (tenant_id, stream_id, stream_type, version, created_at, updated_at)
  select $1::text, $2::text, coalesce($3::text, 'stream'), 1, now.at, now.at from (select clock_timestamp() as at) now
  on conflict (tenant_id, stream_id) do update set ${set} where ${admits} and $4::int8 = -1
  returning s.version, s.stream_type, s.updated_at as at
)${insert}`,
    existing: `
with head as (
  update ${names.streams} s set ${set}
  where s.tenant_id = $1::text and s.stream_id = $2::text and ${admits}
    and ($4::int8 = -2 or s.version = $4::int8) and s.version > 0
  returning s.version, s.stream_type, s.updated_at as at
)${insert}`,
  }
}

/**
 * Any number of writes. Heads that exist are locked in the order of their keys, then updated; heads that do not are made, in
 * the same order. A head that somebody else makes at that moment is a miss: the store looks, and tries again. Where appends
 * of several callers share the statement, a head that somebody holds is a miss too (`skipLocked`): it is waited for apart. One
 * that somebody has made and not committed cannot be seen: the statement waits for him, for so long, and fails with 55P03.
 * Without its `limit 1`, heads would be joined, which locks in any order and may read the whole table.
 * Parameters: 1–5 the writes (tenant, stream, type or null, expected, number of events); 6– the events (number of the write
 * from 1, number in the write from 1, then as above).
 */
export function flushStatement(names: Names, { skipLocked }: { skipLocked: boolean }): string {
  const e = (column: string): string => `e.${column}`
  const key = `tenant_id collate "C", stream_id collate "C"`
  return `
with w as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int4[]) with ordinality
    as w(tenant_id, stream_id, stream_type, expected, events, no)
  order by ${key}
), locked as materialized (
  select w.no, w.events, w.tenant_id, w.stream_id, s.stream_type, s.version, s.updated_at,
    (s.archived_at is null or w.events = 0) and (w.stream_type is null or w.stream_type = s.stream_type)
      and (w.expected = -1 or w.expected = s.version or (w.expected = -2 and s.version > 0)) as admitted
  from w cross join lateral (
    select stream_type, version, updated_at, archived_at from ${names.streams} s
    where s.tenant_id = w.tenant_id and s.stream_id = w.stream_id
    limit 1 for no key update${skipLocked ? ' skip locked' : ''}
  ) s
), updated as (
  update ${names.streams} s
  set version = s.version + l.events, updated_at = greatest(clock_timestamp(), s.updated_at)
  from locked l
  where l.admitted and l.events > 0 and s.tenant_id = l.tenant_id and s.stream_id = l.stream_id
  returning l.no, s.tenant_id, s.stream_id, s.version - l.events as before, s.version, s.stream_type, s.updated_at as at
), created as (
  insert into ${names.streams} as s (tenant_id, stream_id, stream_type, version, created_at, updated_at)
  select w.tenant_id, w.stream_id, coalesce(w.stream_type, 'stream'), w.events, now.at, now.at
  from w, (select clock_timestamp() as at) now${skipLocked ? `, (select ${together}) together` : ''}
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
), stored as (
  insert into ${names.events} (${columns})
  select nextval('${names.positions}'), e.* from (
    select h.tenant_id, h.stream_id, h.stream_type, h.before + e.nth, e.id, e.type, e.schema_version,
      e.data::${names.dataType}, e.metadata::jsonb, e.tags::text[], e.correlation_id, e.causation_id, e.created_by,
      e.occurred_at, h.at, e.size, ${checksum(e, 'h.stream_type', '(h.before + e.nth)')}
    from unnest($6::int4[], $7::int4[], $8::uuid[], $9::text[], $10::int4[], $11::text[], $12::text[], $13::text[],
      $14::text[], $15::text[], $16::text[], $17::timestamptz[], $18::int4[], $19::text[], $20::text[], $21::text[])
      with ordinality as e(no, nth, id, type, schema_version, data, metadata, tags, correlation_id, causation_id,
        created_by, occurred_at, size, pre, post, tail, ord)
    join heads h on h.no = e.no, (select ${durable}) durable
    order by e.ord
  ) e
  returning position, checksum
)
select h.no, h.version, h.stream_type, h.at at time zone 'UTC', null, null from heads h
union all
select null, null, null, null, array_agg(position order by position)::text,
  string_agg(encode(checksum, 'hex'), '' order by position)
from stored`
}
