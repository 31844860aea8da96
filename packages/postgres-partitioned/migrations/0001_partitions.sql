-- What is known of each partition, also of those that are gone. Operators' functions are at the end.
create table {{event_partitions}} (
  name text collate "C" not null,
  starts_at timestamptz not null, -- inclusive
  ends_at timestamptz not null, -- exclusive
  created_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz, -- since when nothing is added; what follows is known from then on
  first_position bigint,
  last_position bigint,
  events bigint,
  bytes bigint,
  archived_at timestamptz,
  archive_sha256 text,
  detached_at timestamptz,
  dropped_at timestamptz,
  constraint event_partitions_pkey primary key (name),
  constraint event_partitions_range_check check (starts_at < ends_at)
);

-- Attached partitions with their bounds; those of the DEFAULT one are null.
create function {{attached_partitions}}()
returns table (name text, starts_at timestamptz, ends_at timestamptz, is_default boolean)
language sql stable
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
as $$
  select c.relname::text, bounds.found[1]::timestamptz, bounds.found[2]::timestamptz,
    pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  cross join lateral regexp_match(
    pg_get_expr(c.relpartbound, c.oid), $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$
  ) as bounds(found)
  where i.inhparent = 'events'::regclass
$$;

-- One at a time; and readers that know the partitions as they were notice.
create function {{change_partitions}}() returns void
language plpgsql
set search_path to {{schema}}, pg_temp
set lock_timeout to 0 -- this lock keeps no appends waiting
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'partitions are managed in READ COMMITTED transactions only' using errcode = 'VP001';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('varve partitions of ' || current_schema(), 0));
  update varve_meta set value = (value::bigint + 1)::text where varve_meta.name = 'partitions';
end
$$;

-- A table that can become a partition: with the keys that the parent cannot have, and its guards.
create function {{make_partition}}(partition_name text, starts timestamptz, ends timestamptz) returns void
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
as $$
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
$$;

-- Attaches a table made above, after moving what the DEFAULT partition holds of its time. Locks are waited for briefly and
-- often, since whoever waits for one keeps others waiting behind it.
create function {{attach_partition}}(partition_name text, starts timestamptz, ends timestamptz) returns bigint
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
set lock_timeout to '200ms'
as $$
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
$$;

create table {{events_default}} partition of {{events}} default;
create unique index idx_events_default_stream on {{events_default}} (tenant_id, stream_id, version);
create unique index idx_events_default_event_id on {{events_default}} (tenant_id, event_id);
create trigger trigger_events_no_truncate before truncate on {{events_default}}
  for each statement execute function {{refuse_change}}();

-- Makes the partition of a month, in UTC, unless there is one for that time; gives the partition's name. Events of that
-- month that the DEFAULT partition has caught move into it, and keep their positions.
create function {{create_monthly_partition}}(month date) returns text
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
as $$
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
$$;

-- Closes the months that have been over for `grace`: nothing is added to them any more, which is enforced, and their
-- range of positions is known, so that reads can leave them out. A month waits for every transaction that wrote before
-- its end: such a one may still append with a time of that month.
create function {{close_partitions}}(grace interval default '1 hour') returns setof text
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
set lock_timeout to '200ms'
as $$
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
$$;

create function {{measure_partition}}(partition_name text) returns void
language plpgsql
set search_path to {{schema}}, pg_temp
as $$
begin
  execute format(
    'update event_partitions p set closed_at = clock_timestamp(), bytes = pg_total_relation_size(%L::regclass), '
    'first_position = e.low, last_position = e.high, events = e.count '
    'from (select min(position) as low, max(position) as high, count(*) as count from %I) e where p.name = %L',
    quote_ident(partition_name), partition_name, partition_name
  );
end
$$;

-- Who still needs the events of a partition, in words; none when it can go.
create function {{partition_needed_by}}(partition_name text) returns setof text
language plpgsql
set search_path to {{schema}}, pg_temp
as $$
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
$$;

-- Takes a closed month out of the log; its table stays, by itself.
create function {{detach_partition}}(partition_name text, force boolean default false) returns void
language plpgsql
set search_path to {{schema}}, pg_temp
set lock_timeout to '200ms'
as $$
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
$$;

create function {{drop_partition}}(partition_name text, force boolean default false) returns void
language plpgsql
set search_path to {{schema}}, pg_temp
as $$
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
$$;

-- Drops the months that ended at least so many months ago. All or none: one that is still needed, and is not named in
-- `force`, refuses the whole.
create function {{drop_old_partitions}}(months_to_keep integer, force text[] default '{}') returns setof text
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
as $$
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
$$;

-- Puts a table that was detached, or made and filled by a restore, back in its place.
create function {{reattach_partition}}(partition_name text) returns void
language plpgsql
set search_path to {{schema}}, pg_temp
set timezone to 'UTC'
set datestyle to 'ISO'
as $$
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
$$;

-- All partitions, also those that are gone, by pg_inherits and what is remembered.
create function {{list_partitions}}()
returns table (
  name text, state text, starts_at timestamptz, ends_at timestamptz, events bigint, bytes bigint,
  first_position bigint, last_position bigint, closed_at timestamptz, archived_at timestamptz, detached_at timestamptz,
  dropped_at timestamptz
)
language plpgsql
set search_path to {{schema}}, pg_temp
as $$
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
$$;

-- Whether one of the ids is stored anywhere but at these positions. Asks each partition's own index, by one plan for all
-- calls: to plan for sixty partitions takes longer than to ask them.
create function {{ids_stored}}(tenants text[], ids uuid[], but_at bigint[]) returns boolean
language plpgsql stable
set search_path to {{schema}}, pg_temp
set plan_cache_mode to 'force_generic_plan'
as $$
begin
  return exists (
    select from events e where e.tenant_id = any (tenants) and e.event_id = any (ids) and e.position <> all (but_at)
  );
end
$$;

-- This month and the next three, so that the first appends find them.
select {{create_monthly_partition}}(((now() at time zone 'UTC')::date + make_interval(months => ahead))::date)
from generate_series(0, 3) ahead;
