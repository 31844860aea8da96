import type { Names } from './names.js'

/** Columns that all statements fill, in this order. */
export const columns = `position, tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
  metadata, tags, correlation_id, causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum`

/** The canonical JSON of the contract's section 8, whose checksum is taken where the version is known: here. */
export const checksum = (e: (column: string) => string, streamType: string, version: string): string =>
  `sha256(convert_to(${e('pre')} || ${e('data')} || ',"id":"' || ${e('id')}::text || '","metadata":' || ${e('metadata')} ` +
  `|| ${e('post')} || to_json(${streamType})::text || ${e('tail')} || ${version}::text || '}', 'UTF8'))`

/** An append acknowledged must survive a crash, whatever the session's setting; this works behind poolers too. */
export const durable = `set_config('synchronous_commit', 'on', true)`

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
from head h
returning position, version, stream_type, created_at at time zone 'UTC', encode(checksum, 'hex'), ${durable}`
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
    and ($4::int8 < 0 or s.version = $4::int8) and s.version > 0
  returning s.version, s.stream_type, s.updated_at as at
)${insert}`,
  }
}
