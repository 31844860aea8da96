-- What the migrations come to, written by test/schema.test.ts from a database; do not edit.

CREATE TABLE "varve_migrations" (name text not null primary key, checksum text not null, applied_at integer, duration_ms integer) strict, without rowid;

CREATE TABLE "event_streams" (
  tenant_id text not null check (tenant_id <> ''),
  stream_id text not null check (stream_id <> ''),
  stream_type text not null check (stream_type <> ''),
  version integer not null check (version >= 0),
  created_at integer not null, -- of the first event
  updated_at integer not null, -- of the last event
  archived_at integer,
  primary key (tenant_id, stream_id)
) strict, without rowid;

CREATE INDEX "idx_event_streams_id" on "event_streams" (stream_id, tenant_id);

CREATE INDEX "idx_event_streams_type" on "event_streams" (tenant_id, stream_type, stream_id);

CREATE TABLE "events" (
  position integer primary key autoincrement check (position > 0),
  tenant_id text not null check (tenant_id <> ''),
  stream_id text not null check (stream_id <> ''),
  stream_type text not null check (stream_type <> ''),
  version integer not null check (version > 0),
  event_id text not null check (event_id <> ''),
  event_type text not null check (event_type <> ''),
  schema_version integer not null check (schema_version > 0),
  event_data text not null,
  metadata text not null,
  tags text not null,
  correlation_id text,
  causation_id text,
  created_by text,
  occurred_at integer not null,
  created_at integer not null,
  event_size_bytes integer not null,
  checksum text not null -- hex; a blob would take half of it, and longer to write and to read
) strict;

CREATE UNIQUE INDEX "idx_events_stream" on "events" (tenant_id, stream_id, version);

CREATE UNIQUE INDEX "idx_events_event_id" on "events" (tenant_id, event_id);

CREATE INDEX "idx_events_type" on "events" (tenant_id, event_type, position);

CREATE INDEX "idx_events_created_at" on "events" (created_at);

CREATE INDEX "idx_events_correlation_id" on "events" (tenant_id, correlation_id, position)
  where correlation_id is not null;

CREATE INDEX "idx_events_causation_id" on "events" (tenant_id, causation_id, position)
  where causation_id is not null;

CREATE TABLE "event_tags" (
  tenant_id text not null,
  tag text not null,
  position integer not null,
  primary key (tenant_id, tag, position)
) strict, without rowid;

CREATE TABLE "varve_meta" (
  name text not null primary key,
  value text not null
) strict, without rowid;

CREATE TRIGGER "trigger_events_no_update" before update on "events"
when not exists (select 1 from "varve_meta" where name = 'maintenance')
begin
  select raise(abort, 'varve: events are append-only, they cannot be updated');
end;

CREATE TRIGGER "trigger_events_no_delete" before delete on "events"
when not exists (select 1 from "varve_meta" where name = 'maintenance')
begin
  select raise(abort, 'varve: events are append-only, they cannot be deleted');
end;

CREATE TRIGGER "trigger_events_no_replace" before insert on "events"
when (
  exists (select 1 from "events" where tenant_id = new.tenant_id and stream_id = new.stream_id and version = new.version)
  or exists (select 1 from "events" where tenant_id = new.tenant_id and event_id = new.event_id)
  or (new.position > 0 and exists (select 1 from "events" where position = new.position))
) and not exists (select 1 from "varve_meta" where name = 'maintenance')
begin
  select raise(fail, 'varve: this event is stored already, and events are append-only');
end;

CREATE TRIGGER "trigger_event_tags_no_update" before update on "event_tags"
when not exists (select 1 from "varve_meta" where name = 'maintenance')
begin
  select raise(abort, 'varve: the tags of events are append-only, they cannot be updated');
end;

CREATE TRIGGER "trigger_event_tags_no_delete" before delete on "event_tags"
when not exists (select 1 from "varve_meta" where name = 'maintenance')
begin
  select raise(abort, 'varve: the tags of events are append-only, they cannot be deleted');
end;

CREATE VIEW "v_event_statistics" as
select
  tenant_id,
  stream_type,
  event_type,
  count(*) as event_count,
  avg(event_size_bytes) as avg_size_bytes,
  max(event_size_bytes) as max_size_bytes,
  strftime('%Y-%m-%dT%H:%M:%fZ', min(created_at) / 1000.0, 'unixepoch') as first_event_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', max(created_at) / 1000.0, 'unixepoch') as last_event_at,
  count(distinct stream_id) as unique_streams
from "events"
group by tenant_id, stream_type, event_type;

CREATE VIEW "v_recent_events" as
select
  event_id,
  tenant_id,
  stream_id,
  stream_type,
  event_type,
  version,
  position,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') as created_at,
  correlation_id
from "events"
where "events".created_at > (unixepoch('subsec') - 86400) * 1000;

CREATE TABLE "projection_checkpoints" (
  tenant_id text not null,
  projection_name text not null check (projection_name <> ''),
  projection_version integer not null check (projection_version > 0),
  shard integer not null check (shard >= 0 and shard < shards),
  shards integer not null,
  -- everything up to here was applied, skipped by policy, or parked
  last_position integer not null default 0 check (last_position >= 0),
  -- of the last event that was, at last_event_position: a restored log has another one there
  last_event_id text,
  last_event_position integer,
  last_processed_at integer,
  events_processed integer not null default 0,
  status text not null check (status in ('running', 'paused', 'rebuilding', 'faulted')),
  error_message text,
  -- to be done before the next event
  pending_step text check (pending_step in ('set-up', 'reset')),
  -- 1 once this version has taken over
  in_charge integer not null default 0,
  -- as far as a version has to have come before it may take over
  target_position integer not null default 0,
  log_id text not null,
  epoch integer not null default 0,
  created_at integer not null default (cast(round(unixepoch('subsec') * 1000) as integer)),
  primary key (tenant_id, projection_name, projection_version, shard)
) strict, without rowid;

CREATE TABLE "projection_leases" (
  tenant_id text not null,
  projection_name text not null,
  projection_version integer not null,
  shard integer not null,
  owner text not null,
  epoch integer not null,
  expires_at integer not null,
  connection text,
  wanted_by text, -- a process that has fewer; the owner hands it over
  wanted_until integer,
  primary key (tenant_id, projection_name, projection_version, shard)
) strict, without rowid;

CREATE TABLE "parked_events" (
  tenant_id text not null, -- of the projection
  projection_name text not null,
  projection_version integer not null,
  position integer not null,
  shard integer not null,
  event_tenant_id text not null,
  stream_id text not null,
  version integer not null,
  event_id text not null,
  event_type text not null,
  error_message text not null,
  attempts integer not null check (attempts >= 0), -- 0: it only waits behind another one
  retry_requested integer not null default 0,
  parked_at integer not null default (cast(round(unixepoch('subsec') * 1000) as integer)),
  primary key (tenant_id, projection_name, projection_version, position)
) strict, without rowid;

CREATE INDEX "idx_parked_events_stream" on "parked_events"
  (tenant_id, projection_name, projection_version, event_tenant_id, stream_id, position);

CREATE TABLE "snapshots" (
  tenant_id text not null check (tenant_id <> ''),
  stream_id text not null check (stream_id <> ''),
  snapshot_type text not null check (snapshot_type <> ''),
  version integer not null check (version > 0), -- of the last event that is in it
  schema_version integer not null check (schema_version > 0), -- of the state
  state text not null,
  created_at integer not null,
  primary key (tenant_id, stream_id, snapshot_type, version) -- serves the latest of a stream too
) strict;

CREATE INDEX "idx_snapshots_cleanup" on "snapshots" (tenant_id, created_at);

CREATE INDEX "idx_snapshots_type" on "snapshots" (tenant_id, snapshot_type);

CREATE TABLE "process_instances" (
  tenant_id text not null,
  process_name text not null,
  correlation_id text not null check (correlation_id <> ''),
  completed integer not null,
  state text not null,
  pending text not null, -- ids of the timeouts that may still fire, by name
  updated_at integer not null,
  primary key (tenant_id, process_name, correlation_id)
) strict;

CREATE TABLE "process_outbox" (
  tenant_id text not null,
  process_name text not null,
  position integer not null, -- of the event that led to it
  number integer not null,
  correlation_id text not null,
  entry text not null,
  attempts integer not null default 0,
  error_message text,
  due_at integer not null,
  primary key (tenant_id, process_name, position, number)
) strict;

CREATE INDEX "idx_process_outbox_correlation" on "process_outbox"
  (tenant_id, process_name, correlation_id, position, number);

CREATE TABLE "process_timeouts" (
  tenant_id text not null,
  process_name text not null,
  correlation_id text not null,
  timeout_name text not null,
  timeout_id text not null,
  due_at integer not null,
  data text not null,
  primary key (tenant_id, process_name, correlation_id, timeout_name)
) strict;

CREATE INDEX "idx_process_timeouts_due" on "process_timeouts" (tenant_id, process_name, due_at);

insert into sqlite_stat1 (tbl, idx, stat) values
  ('event_streams', 'event_streams', '10000 10000 1'),
  ('event_streams', 'idx_event_streams_id', '10000 1 1'),
  ('event_streams', 'idx_event_streams_type', '10000 10000 1000 1'),
  ('event_tags', 'event_tags', '1000000 1000000 100 1'),
  ('events', NULL, '1000000 sz=100'),
  ('events', 'idx_events_causation_id', '1000000 1000000 10 1'),
  ('events', 'idx_events_correlation_id', '1000000 1000000 10 1'),
  ('events', 'idx_events_created_at', '1000000 10'),
  ('events', 'idx_events_event_id', '1000000 1000000 1 sz=1000'),
  ('events', 'idx_events_stream', '1000000 1000000 100 1 sz=1000'),
  ('events', 'idx_events_type', '1000000 1000000 50000 1 sz=1000 noskipscan');
