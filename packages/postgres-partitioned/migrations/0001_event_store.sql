-- Names are compared byte by byte on every engine, whatever the database's own collation.
create table {{event_streams}} (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  created_at timestamptz not null, -- of the first event
  updated_at timestamptz not null, -- of the last event
  archived_at timestamptz,
  constraint event_streams_pkey primary key (tenant_id, stream_id),
  constraint event_streams_version_check check (version >= 0),
  constraint event_streams_stream_type_check check (stream_type <> '')
) with (fillfactor = 70); -- room for the next version of a head on its own page, so that no index is touched

create index idx_event_streams_id on {{event_streams}} (stream_id, tenant_id);
create index idx_event_streams_type on {{event_streams}} (tenant_id, stream_type, stream_id);

create sequence {{events_position_seq}} as bigint cache 1; -- a larger cache would hand positions out of order

create table {{events}} (
  position bigint not null default nextval('{{events_position_seq}}'),
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  schema_version integer not null,
  event_data {{data_type}} not null,
  metadata jsonb not null,
  tags text[] collate "C" not null,
  correlation_id text collate "C",
  causation_id text collate "C",
  created_by text collate "C",
  occurred_at timestamptz not null,
  created_at timestamptz not null,
  event_size_bytes integer not null,
  checksum bytea not null,
  constraint events_pkey primary key (position, created_at),
  constraint events_version_check check (version > 0),
  constraint events_event_type_check check (event_type <> ''),
  constraint events_stream_type_check check (stream_type <> '')
) partition by range (created_at);

alter sequence {{events_position_seq}} owned by {{events}}.position;

-- a key of the whole table would have to hold created_at: the other unique ones are each partition's own
create index idx_events_type on {{events}} (tenant_id, event_type, position);
create index idx_events_created_at on {{events}} using brin (created_at);
create index idx_events_correlation_id on {{events}} (tenant_id, correlation_id, position) where correlation_id is not null;
create index idx_events_causation_id on {{events}} (tenant_id, causation_id, position) where causation_id is not null;

-- Guards against accidents, not against the owner of the tables.
create function {{refuse_change}}() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('varve.maintenance', true), '') = 'on' then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  if tg_op = 'INSERT' then
    raise exception 'the month of % is closed: the clock of the server has been set back', tg_table_name
      using errcode = 'restrict_violation';
  end if;
  raise exception 'events are append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'restrict_violation',
      hint = 'Append a correcting event; retention and repair go through store.maintenance() and store.partitions.';
end
$$;

create trigger trigger_events_append_only before update or delete on {{events}}
  for each row execute function {{refuse_change}}();
create trigger trigger_events_no_truncate before truncate on {{events}}
  for each statement execute function {{refuse_change}}();

create table {{varve_meta}} (
  name text collate "C" not null,
  value text not null,
  constraint varve_meta_pkey primary key (name)
);

insert into {{varve_meta}} (name, value) values
  ('log_id', gen_random_uuid()::text),
  ('partitions', '0'), -- counts what befalls the partitions, so that readers notice
  ('settled_position', '0'); -- noted now and then, for readers that come while somebody appends

create view {{v_event_statistics}} as
select
  tenant_id,
  stream_type,
  event_type,
  count(*) as event_count,
  avg(event_size_bytes) as avg_size_bytes,
  max(event_size_bytes) as max_size_bytes,
  min(created_at) as first_event_at,
  max(created_at) as last_event_at,
  count(distinct stream_id) as unique_streams
from {{events}}
group by tenant_id, stream_type, event_type;

create view {{v_recent_events}} as
select
  event_id,
  tenant_id,
  stream_id,
  stream_type,
  event_type,
  version,
  position,
  created_at,
  correlation_id
from {{events}}
where created_at > now() - interval '24 hours';
