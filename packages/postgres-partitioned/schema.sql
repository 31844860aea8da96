-- What the migrations come to, written by test/schema.test.ts from a server's catalogues; do not edit.

create table event_partitions (
  name text collate "C" not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  closed_at timestamp with time zone,
  first_position bigint,
  last_position bigint,
  events bigint,
  bytes bigint,
  archived_at timestamp with time zone,
  archive_sha256 text,
  detached_at timestamp with time zone,
  dropped_at timestamp with time zone,
  constraint event_partitions_pkey PRIMARY KEY (name),
  constraint event_partitions_range_check CHECK (starts_at < ends_at)
);

create table event_streams (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  archived_at timestamp with time zone,
  constraint event_streams_pkey PRIMARY KEY (tenant_id, stream_id),
  constraint event_streams_stream_type_check CHECK (stream_type <> ''::text),
  constraint event_streams_version_check CHECK (version >= 0)
) with (fillfactor=70);

create table events (
  "position" bigint default nextval('events_position_seq'::regclass) not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  schema_version integer not null,
  event_data jsonb not null,
  metadata jsonb not null,
  tags text[] collate "C" not null,
  correlation_id text collate "C",
  causation_id text collate "C",
  created_by text collate "C",
  occurred_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  event_size_bytes integer not null,
  checksum bytea not null,
  constraint events_pkey PRIMARY KEY ("position", created_at),
  constraint events_event_type_check CHECK (event_type <> ''::text),
  constraint events_stream_type_check CHECK (stream_type <> ''::text),
  constraint events_version_check CHECK (version > 0)
) partition by RANGE (created_at);

create table events_2031_01 (
  "position" bigint default nextval('events_position_seq'::regclass) not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  schema_version integer not null,
  event_data jsonb not null,
  metadata jsonb not null,
  tags text[] collate "C" not null,
  correlation_id text collate "C",
  causation_id text collate "C",
  created_by text collate "C",
  occurred_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  event_size_bytes integer not null,
  checksum bytea not null,
  constraint events_2031_01_pkey PRIMARY KEY ("position", created_at),
  constraint events_event_type_check CHECK (event_type <> ''::text),
  constraint events_stream_type_check CHECK (stream_type <> ''::text),
  constraint events_version_check CHECK (version > 0)
) partition of events FOR VALUES FROM ('2031-01-01 00:00:00+00') TO ('2031-02-01 00:00:00+00');

create table events_default (
  "position" bigint default nextval('events_position_seq'::regclass) not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  schema_version integer not null,
  event_data jsonb not null,
  metadata jsonb not null,
  tags text[] collate "C" not null,
  correlation_id text collate "C",
  causation_id text collate "C",
  created_by text collate "C",
  occurred_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  event_size_bytes integer not null,
  checksum bytea not null,
  constraint events_default_pkey PRIMARY KEY ("position", created_at),
  constraint events_event_type_check CHECK (event_type <> ''::text),
  constraint events_stream_type_check CHECK (stream_type <> ''::text),
  constraint events_version_check CHECK (version > 0)
) partition of events DEFAULT;

create table parked_events (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  "position" bigint not null,
  shard integer not null,
  event_tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  error_message text not null,
  attempts integer not null,
  retry_requested smallint default 0 not null,
  parked_at timestamp with time zone default clock_timestamp() not null,
  constraint parked_events_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, "position"),
  constraint parked_events_attempts_check CHECK (attempts >= 0)
);

create table process_instances (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  completed smallint not null,
  state jsonb not null,
  pending jsonb not null,
  updated_at timestamp with time zone not null,
  constraint process_instances_pkey PRIMARY KEY (tenant_id, process_name, correlation_id)
);

create table process_outbox (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  "position" bigint not null,
  number integer not null,
  correlation_id text collate "C" not null,
  entry jsonb not null,
  attempts integer default 0 not null,
  error_message text,
  due_at timestamp with time zone not null,
  constraint process_outbox_pkey PRIMARY KEY (tenant_id, process_name, "position", number)
);

create table process_timeouts (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  timeout_name text collate "C" not null,
  timeout_id text collate "C" not null,
  due_at timestamp with time zone not null,
  data jsonb not null,
  constraint process_timeouts_pkey PRIMARY KEY (tenant_id, process_name, correlation_id, timeout_name)
);

create table projection_checkpoints (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  shards integer not null,
  last_position bigint default 0 not null,
  last_event_id uuid,
  last_event_position bigint,
  last_processed_at timestamp with time zone,
  events_processed bigint default 0 not null,
  status text collate "C" not null,
  error_message text,
  pending_step text collate "C",
  in_charge smallint default 0 not null,
  target_position bigint default 0 not null,
  log_id text collate "C" not null,
  epoch bigint default 0 not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  constraint projection_checkpoints_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, shard),
  constraint projection_checkpoints_position_check CHECK (last_position >= 0),
  constraint projection_checkpoints_shard_check CHECK (shard >= 0 AND shard < shards),
  constraint projection_checkpoints_status_check CHECK (status = ANY (ARRAY['running'::text, 'paused'::text, 'rebuilding'::text, 'faulted'::text])),
  constraint projection_checkpoints_step_check CHECK (pending_step = ANY (ARRAY['set-up'::text, 'reset'::text])),
  constraint projection_checkpoints_version_check CHECK (projection_version > 0)
) with (fillfactor=25, autovacuum_vacuum_threshold=200, autovacuum_vacuum_scale_factor=0);

create table projection_leases (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  owner text collate "C" not null,
  epoch bigint not null,
  expires_at timestamp with time zone not null,
  connection text collate "C",
  wanted_by text collate "C",
  wanted_until timestamp with time zone,
  constraint projection_leases_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, shard)
) with (fillfactor=25, autovacuum_vacuum_threshold=200, autovacuum_vacuum_scale_factor=0);

create table snapshots (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  snapshot_type text collate "C" not null,
  version bigint not null,
  schema_version integer not null,
  state jsonb not null,
  created_at timestamp with time zone not null,
  constraint snapshots_pkey PRIMARY KEY (tenant_id, stream_id, snapshot_type, version),
  constraint snapshots_schema_version_check CHECK (schema_version > 0),
  constraint snapshots_version_check CHECK (version > 0)
);

create table varve_meta (
  name text collate "C" not null,
  value text not null,
  constraint varve_meta_pkey PRIMARY KEY (name)
);

create table varve_migrations (
  name text collate "C" not null,
  checksum text not null,
  applied_at timestamp with time zone,
  duration_ms integer,
  constraint varve_migrations_pkey PRIMARY KEY (name)
);

create sequence events_position_seq as bigint start 1 increment 1 minvalue 1 maxvalue 9223372036854775807 cache 1 owned by events.position;

CREATE INDEX idx_event_streams_id ON event_streams USING btree (stream_id, tenant_id);

CREATE INDEX idx_event_streams_type ON event_streams USING btree (tenant_id, stream_type, stream_id);

CREATE INDEX idx_events_causation_id ON ONLY events USING btree (tenant_id, causation_id, "position") WHERE causation_id IS NOT NULL;

CREATE INDEX idx_events_correlation_id ON ONLY events USING btree (tenant_id, correlation_id, "position") WHERE correlation_id IS NOT NULL;

CREATE INDEX idx_events_created_at ON ONLY events USING brin (created_at);

CREATE INDEX idx_events_type ON ONLY events USING btree (tenant_id, event_type, "position");

CREATE INDEX events_2031_01_created_at_idx ON events_2031_01 USING brin (created_at);

CREATE INDEX events_2031_01_tenant_id_causation_id_position_idx ON events_2031_01 USING btree (tenant_id, causation_id, "position") WHERE causation_id IS NOT NULL;

CREATE INDEX events_2031_01_tenant_id_correlation_id_position_idx ON events_2031_01 USING btree (tenant_id, correlation_id, "position") WHERE correlation_id IS NOT NULL;

CREATE UNIQUE INDEX events_2031_01_tenant_id_event_id_idx ON events_2031_01 USING btree (tenant_id, event_id);

CREATE INDEX events_2031_01_tenant_id_event_type_position_idx ON events_2031_01 USING btree (tenant_id, event_type, "position");

CREATE UNIQUE INDEX events_2031_01_tenant_id_stream_id_version_idx ON events_2031_01 USING btree (tenant_id, stream_id, version);

CREATE INDEX events_default_created_at_idx ON events_default USING brin (created_at);

CREATE INDEX events_default_tenant_id_causation_id_position_idx ON events_default USING btree (tenant_id, causation_id, "position") WHERE causation_id IS NOT NULL;

CREATE INDEX events_default_tenant_id_correlation_id_position_idx ON events_default USING btree (tenant_id, correlation_id, "position") WHERE correlation_id IS NOT NULL;

CREATE INDEX events_default_tenant_id_event_type_position_idx ON events_default USING btree (tenant_id, event_type, "position");

CREATE UNIQUE INDEX idx_events_default_event_id ON events_default USING btree (tenant_id, event_id);

CREATE UNIQUE INDEX idx_events_default_stream ON events_default USING btree (tenant_id, stream_id, version);

CREATE INDEX idx_parked_events_stream ON parked_events USING btree (tenant_id, projection_name, projection_version, event_tenant_id, stream_id, "position");

CREATE INDEX idx_process_outbox_correlation ON process_outbox USING btree (tenant_id, process_name, correlation_id, "position", number);

CREATE INDEX idx_process_timeouts_due ON process_timeouts USING btree (tenant_id, process_name, due_at);

CREATE INDEX idx_snapshots_cleanup ON snapshots USING btree (tenant_id, created_at);

CREATE INDEX idx_snapshots_type ON snapshots USING btree (tenant_id, snapshot_type);

CREATE OR REPLACE FUNCTION attach_partition(partition_name text, starts timestamp with time zone, ends timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
 SET lock_timeout TO '200ms'
AS $function$
declare
  door text := coalesce(current_setting('varve.maintenance', true), '');
  moved bigint;
begin
  perform set_config('varve.maintenance', 'on', true);
  for attempt in 1..60 loop
    begin
      lock table events_default in share row exclusive mode;
      execute format(
        'with moved as (delete from events_default where created_at >= $1 and created_at < $2 returning *) '
        'insert into %I select * from moved', partition_name
      ) using starts, ends;
      get diagnostics moved = row_count;
      execute format(
        'alter table events attach partition %I for values from (%L) to (%L)', partition_name, starts, ends
      );
      execute format('alter table %I drop constraint varve_bounds', partition_name);
      perform set_config('varve.maintenance', door, true);
      return moved;
    exception when lock_not_available or deadlock_detected then
      perform pg_sleep(least(0.02 * attempt, 0.5));
    end;
  end loop;
  raise exception 'partition % cannot be attached: somebody keeps events_default locked', partition_name
    using errcode = 'lock_not_available';
end
$function$;

CREATE OR REPLACE FUNCTION attached_partitions()
 RETURNS TABLE(name text, starts_at timestamp with time zone, ends_at timestamp with time zone, is_default boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
  select c.relname::text, bounds.found[1]::timestamptz, bounds.found[2]::timestamptz,
    pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  cross join lateral regexp_match(
    pg_get_expr(c.relpartbound, c.oid), $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$
  ) as bounds(found)
  where i.inhparent = 'events'::regclass
$function$;

CREATE OR REPLACE FUNCTION change_partitions()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET lock_timeout TO '0'
AS $function$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'partitions are managed in READ COMMITTED transactions only' using errcode = 'VP001';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('varve partitions of ' || current_schema(), 0));
  update varve_meta set value = (value::bigint + 1)::text where varve_meta.name = 'partitions';
end
$function$;

CREATE OR REPLACE FUNCTION close_partitions(grace interval DEFAULT '01:00:00'::interval)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
 SET lock_timeout TO '200ms'
AS $function$
declare
  p record;
begin
  if not exists (
    select from event_partitions o
    where o.closed_at is null and o.ends_at + grace <= clock_timestamp()
      and exists (select from attached_partitions() a where a.name = o.name)
  ) then
    return;
  end if;
  perform change_partitions();
  for p in
    select o.name, o.ends_at from event_partitions o join attached_partitions() a on a.name = o.name
    where o.closed_at is null and o.ends_at + grace <= clock_timestamp() order by o.starts_at
  loop
    exit when exists (
      select from pg_locks l left join pg_stat_activity s on s.pid = l.pid
      where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
        and l.relation = 'events'::regclass and l.pid is distinct from pg_backend_pid()
        and coalesce(s.xact_start, '-infinity') < p.ends_at
    );
    begin
      execute format(
        'create trigger trigger_events_closed before insert on %I for each row execute function refuse_change()', p.name
      );
    exception when lock_not_available then
      exit;
    end;
    perform measure_partition(p.name);
    return next p.name;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION create_monthly_partition(month date)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
declare
  starts timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
  ends timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
  partition_name text := to_char(month, '"events_"YYYY_MM');
  existing text;
begin
  for existing in
    select p.name from attached_partitions() p where p.starts_at < ends and p.ends_at > starts order by p.starts_at
  loop
    return existing;
  end loop;
  perform change_partitions();
  -- somebody else may have made it meanwhile
  for existing in
    select p.name from attached_partitions() p where p.starts_at < ends and p.ends_at > starts order by p.starts_at
  loop
    return existing;
  end loop;
  if exists (select from event_partitions p where p.name = partition_name and (p.detached_at is not null or p.dropped_at is not null)) then
    raise exception '% was taken out of the log; restore it from its archive', partition_name using errcode = 'VP001';
  end if;
  perform make_partition(partition_name, starts, ends);
  perform attach_partition(partition_name, starts, ends);
  insert into event_partitions (name, starts_at, ends_at) values (partition_name, starts, ends);
  return partition_name;
end
$function$;

CREATE OR REPLACE FUNCTION detach_partition(partition_name text, force boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET lock_timeout TO '200ms'
AS $function$
declare
  p event_partitions;
  needed text;
begin
  perform change_partitions();
  select e.* into p from event_partitions e join attached_partitions() a on a.name = e.name where e.name = partition_name;
  if not found then
    raise exception 'there is no partition % in the log', partition_name using errcode = 'VP001';
  end if;
  if p.closed_at is null then
    raise exception '% is still open: its month is not over, or a transaction that wrote in it is', partition_name
      using errcode = 'VP001', hint = 'close_partitions() closes what can be closed.';
  end if;
  if not force then
    select string_agg(n, '; ') into needed from (select n from partition_needed_by(partition_name) n limit 20) n;
    if needed is not null then
      raise exception '% is still needed by %', partition_name, needed
        using errcode = 'VP001', hint = 'Wait for them, archive or snapshot such streams, or force it by its name.';
    end if;
  end if;
  for attempt in 1..60 loop
    begin
      -- CONCURRENTLY is refused beside a DEFAULT partition; waiting long for this lock would hold everybody up
      execute format('alter table events detach partition %I', partition_name);
      update event_partitions e set detached_at = clock_timestamp() where e.name = partition_name;
      return;
    exception when lock_not_available or deadlock_detected then
      perform pg_sleep(least(0.02 * attempt, 0.5));
    end;
  end loop;
  raise exception 'partition % cannot be detached: events is always locked by somebody', partition_name
    using errcode = 'lock_not_available';
end
$function$;

CREATE OR REPLACE FUNCTION drop_old_partitions(months_to_keep integer, force text[] DEFAULT '{}'::text[])
 RETURNS SETOF text
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
declare
  cutoff timestamptz;
  partition_name text;
begin
  if months_to_keep is null or months_to_keep < 1 then
    raise exception 'months_to_keep must be 1 or more, is %', months_to_keep using errcode = 'invalid_parameter_value';
  end if;
  cutoff := date_trunc('month', clock_timestamp()) - make_interval(months => months_to_keep);
  perform close_partitions('0');
  for partition_name in
    select e.name from event_partitions e where e.ends_at <= cutoff and e.dropped_at is null order by e.starts_at
  loop
    perform drop_partition(partition_name, partition_name = any (force));
    return next partition_name;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION drop_partition(partition_name text, force boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
AS $function$
begin
  if exists (select from attached_partitions() a where a.name = partition_name) then
    perform detach_partition(partition_name, force);
  else
    perform change_partitions();
    if not exists (select from event_partitions e where e.name = partition_name and e.detached_at is not null and e.dropped_at is null) then
      raise exception 'there is no partition %', partition_name using errcode = 'VP001';
    end if;
  end if;
  execute format('drop table %I', partition_name);
  update event_partitions e set dropped_at = clock_timestamp() where e.name = partition_name;
end
$function$;

CREATE OR REPLACE FUNCTION ids_stored(tenants text[], ids uuid[], but_at bigint[])
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'golden', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  return exists (
    select from events e where e.tenant_id = any (tenants) and e.event_id = any (ids) and e.position <> all (but_at)
  );
end
$function$;

CREATE OR REPLACE FUNCTION list_partitions()
 RETURNS TABLE(name text, state text, starts_at timestamp with time zone, ends_at timestamp with time zone, events bigint, bytes bigint, first_position bigint, last_position bigint, closed_at timestamp with time zone, archived_at timestamp with time zone, detached_at timestamp with time zone, dropped_at timestamp with time zone)
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
AS $function$
declare
  p record;
begin
  for p in
    select coalesce(a.name, e.name) as name, a.name is not null as attached, coalesce(a.is_default, false) as is_default,
      coalesce(a.starts_at, e.starts_at) as starts_at, coalesce(a.ends_at, e.ends_at) as ends_at, e.events, e.bytes,
      e.first_position, e.last_position, e.closed_at, e.archived_at, e.detached_at, e.dropped_at
    from attached_partitions() a full join event_partitions e on e.name = a.name
    order by 3, 4, 1
  loop
    name := p.name; starts_at := p.starts_at; ends_at := p.ends_at; events := p.events; bytes := p.bytes;
    first_position := p.first_position; last_position := p.last_position; closed_at := p.closed_at;
    archived_at := p.archived_at; detached_at := p.detached_at; dropped_at := p.dropped_at;
    if p.attached and p.closed_at is null then
      state := case when p.is_default then 'default' else 'open' end;
      execute format('select count(*), min(position), max(position), pg_total_relation_size(%L::regclass) from %I',
        quote_ident(p.name), p.name) into events, first_position, last_position, bytes;
    else
      state := case when p.attached then 'closed' when p.dropped_at is null and to_regclass(quote_ident(p.name)) is not null
        then 'detached' else 'dropped' end;
    end if;
    return next;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION make_partition(partition_name text, starts timestamp with time zone, ends timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
begin
  execute format('create table %I (like events including all)', partition_name);
  -- spares the attaching a look at each row
  execute format(
    'alter table %I add constraint varve_bounds check (created_at >= %L and created_at < %L)',
    partition_name, starts, ends
  );
  execute format('create unique index on %I (tenant_id, stream_id, version)', partition_name);
  execute format('create unique index on %I (tenant_id, event_id)', partition_name);
  execute format(
    'create trigger trigger_events_no_truncate before truncate on %I for each statement execute function refuse_change()',
    partition_name
  );
end
$function$;

CREATE OR REPLACE FUNCTION measure_partition(partition_name text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
AS $function$
begin
  execute format(
    'update event_partitions p set closed_at = clock_timestamp(), bytes = pg_total_relation_size(%L::regclass), '
    'first_position = e.low, last_position = e.high, events = e.count '
    'from (select min(position) as low, max(position) as high, count(*) as count from %I) e where p.name = %L',
    quote_ident(partition_name), partition_name, partition_name
  );
end
$function$;

CREATE OR REPLACE FUNCTION partition_needed_by(partition_name text)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
AS $function$
declare
  p event_partitions;
  has_snapshot text := 'false';
begin
  select * into p from event_partitions e where e.name = partition_name;
  if coalesce(p.events, 0) = 0 then
    return;
  end if;
  if to_regclass('projection_checkpoints') is not null then
    return query execute
      'select format(''projection %s (version %s, tenant %L, at position %s)'', c.projection_name, c.projection_version, '
      'c.tenant_id, c.last_position) from projection_checkpoints c where c.last_position < $1 '
      'order by c.projection_name limit 20' using p.last_position;
  end if;
  -- a parked event is read again from the log when it is retried
  if to_regclass('parked_events') is not null then
    return query execute
      'select format(''%s parked events of projection %s (version %s, tenant %L)'', count(*), k.projection_name, '
      'k.projection_version, k.tenant_id) from parked_events k where k.position between $1 and $2 '
      'group by k.projection_name, k.projection_version, k.tenant_id order by k.projection_name limit 20'
      using p.first_position, p.last_position;
  end if;
  -- what is sent is made from the event, at each attempt
  if to_regclass('webhook_jobs') is not null then
    return query execute
      'select format(''webhook endpoint %s (%s deliveries that were not made)'', j.endpoint_id, count(*)) from webhook_jobs j '
      'join webhook_endpoints w on w.id = j.endpoint_id and w.deleted_at is null '
      'where j.position between $1 and $2 and j.status in (''pending'', ''processing'', ''failed'') '
      'group by j.endpoint_id order by j.endpoint_id limit 20' using p.first_position, p.last_position;
    return query execute
      'select format(''webhook endpoint %s (no worker has looked at its events yet)'', w.id) from webhook_endpoints w '
      'where w.deleted_at is null and w.start_position < $1 and not exists '
      '(select from projection_checkpoints c where c.projection_name = ''webhooks.fan-out'') order by w.id limit 20'
      using p.last_position;
    return query execute
      'select format(''webhook endpoint %s (missed positions %s to %s while it was disabled, and they were not replayed)'', '
      'w.id, w.gap_from, w.gap_to) from webhook_endpoints w '
      'where w.deleted_at is null and w.gap_from <= $2 and w.gap_to >= $1 order by w.id limit 20'
      using p.first_position, p.last_position;
  end if;
  if to_regclass('snapshots') is not null then
    has_snapshot := format(
      'exists (select from snapshots n where n.tenant_id = h.tenant_id and n.stream_id = h.stream_id and n.version >= '
      '(select max(e.version) from %I e where e.tenant_id = h.tenant_id and e.stream_id = h.stream_id))',
      partition_name
    );
  end if;
  return query execute format(
    'select format(''stream %%s (tenant %%L, live, no snapshot beyond)'', h.stream_id, h.tenant_id) from event_streams h '
    'where h.archived_at is null and h.version > 0 and h.created_at < $1 and h.updated_at >= $2 '
    'and exists (select from %I e where e.tenant_id = h.tenant_id and e.stream_id = h.stream_id) and not %s limit 20',
    partition_name, has_snapshot
  ) using p.ends_at, p.starts_at;
end
$function$;

CREATE OR REPLACE FUNCTION reattach_partition(partition_name text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'golden', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
declare
  p event_partitions;
  found_first bigint;
  found_last bigint;
  found_events bigint;
  known text;
begin
  perform change_partitions();
  select * into p from event_partitions e where e.name = partition_name;
  if p.detached_at is null or exists (select from attached_partitions() a where a.name = partition_name) then
    raise exception '% was not taken out of the log', partition_name using errcode = 'VP001';
  end if;
  execute format('select min(position), max(position), count(*) from %I', partition_name)
    into found_first, found_last, found_events;
  if (found_first, found_last, found_events) is distinct from (p.first_position, p.last_position, p.events) then
    raise exception '% held % events at positions % to %, what is to be restored has % at % to %', partition_name,
      p.events, p.first_position, p.last_position, found_events, found_first, found_last using errcode = 'VP001';
  end if;
  -- an id is forgotten with its month, and may have been used again
  execute format(
    'select string_agg(event_id::text, '', '') from (select e.event_id from events e '
    'join %I r on r.tenant_id = e.tenant_id and r.event_id = e.event_id where e.created_at >= $1 limit 5) e', partition_name
  ) into known using p.detached_at;
  if known is not null then
    raise exception 'ids of % were stored again since it was taken out: %', partition_name, known using errcode = 'VP001';
  end if;
  execute format('alter table %I drop constraint if exists varve_bounds', partition_name);
  execute format(
    'alter table %I add constraint varve_bounds check (created_at >= %L and created_at < %L)',
    partition_name, p.starts_at, p.ends_at
  );
  perform attach_partition(partition_name, p.starts_at, p.ends_at);
  if not exists (
    select from pg_trigger t where t.tgrelid = quote_ident(partition_name)::regclass and t.tgname = 'trigger_events_closed'
  ) then
    execute format(
      'create trigger trigger_events_closed before insert on %I for each row execute function refuse_change()', partition_name
    );
  end if;
  update event_partitions e set detached_at = null, dropped_at = null where e.name = partition_name;
end
$function$;

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION should_snapshot(p_tenant_id text, p_stream_id text, p_new_version bigint, p_every bigint DEFAULT 100)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select p_new_version - coalesce(max(version), 0) >= p_every
  from "golden"."snapshots"
  where tenant_id = p_tenant_id and stream_id = p_stream_id
$function$;

CREATE TRIGGER trigger_events_append_only BEFORE DELETE OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_append_only BEFORE DELETE OR UPDATE ON events_2031_01 FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_no_truncate BEFORE TRUNCATE ON events_2031_01 FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_append_only BEFORE DELETE OR UPDATE ON events_default FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_no_truncate BEFORE TRUNCATE ON events_default FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create view v_event_statistics as
 SELECT tenant_id,
    stream_type,
    event_type,
    count(*) AS event_count,
    avg(event_size_bytes) AS avg_size_bytes,
    max(event_size_bytes) AS max_size_bytes,
    min(created_at) AS first_event_at,
    max(created_at) AS last_event_at,
    count(DISTINCT stream_id) AS unique_streams
   FROM events
  GROUP BY tenant_id, stream_type, event_type;

create view v_recent_events as
 SELECT event_id,
    tenant_id,
    stream_id,
    stream_type,
    event_type,
    version,
    "position",
    created_at,
    correlation_id
   FROM events
  WHERE created_at > (now() - '24:00:00'::interval);
