-- Where projections are. Tenant '' stands for all tenants. A checkpoint is written with each batch: room on its page for
-- the next versions of the row, no index on what changes, and an early vacuum keep the table from growing.
create table {{projection_checkpoints}} (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  shards integer not null,
  last_position bigint not null default 0, -- everything up to here was applied, skipped by policy, or parked
  last_event_id uuid, -- of the last event that was, at last_event_position: a restored log has another one there
  last_event_position bigint,
  last_processed_at timestamptz,
  events_processed bigint not null default 0,
  status text collate "C" not null,
  error_message text,
  pending_step text collate "C", -- to be done before the next event
  in_charge smallint not null default 0, -- 1 once this version has taken over
  target_position bigint not null default 0, -- as far as a version has to have come before it may take over
  log_id text collate "C" not null,
  epoch bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  constraint projection_checkpoints_pkey primary key (tenant_id, projection_name, projection_version, shard),
  constraint projection_checkpoints_version_check check (projection_version > 0),
  constraint projection_checkpoints_shard_check check (shard >= 0 and shard < shards),
  constraint projection_checkpoints_position_check check (last_position >= 0),
  constraint projection_checkpoints_status_check check (status in ('running', 'paused', 'rebuilding', 'faulted')),
  constraint projection_checkpoints_step_check check (pending_step in ('set-up', 'reset'))
) with (fillfactor = 25, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Apart from the checkpoints: renewing a lease never waits for a batch.
create table {{projection_leases}} (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  owner text collate "C" not null,
  epoch bigint not null,
  expires_at timestamptz not null,
  connection text collate "C", -- of the batch under way, on engines that have to end it
  wanted_by text collate "C", -- a process that has fewer; the owner hands it over
  wanted_until timestamptz,
  constraint projection_leases_pkey primary key (tenant_id, projection_name, projection_version, shard)
) with (fillfactor = 25, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The events themselves stay in the log. What is behind a parked event in its stream is parked behind it.
create table {{parked_events}} (
  tenant_id text collate "C" not null, -- of the projection
  projection_name text collate "C" not null,
  projection_version integer not null,
  position bigint not null,
  shard integer not null,
  event_tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  error_message text not null,
  attempts integer not null, -- 0: it only waits behind another one
  retry_requested smallint not null default 0,
  parked_at timestamptz not null default clock_timestamp(),
  constraint parked_events_pkey primary key (tenant_id, projection_name, projection_version, position),
  constraint parked_events_attempts_check check (attempts >= 0)
);

create index idx_parked_events_stream on {{parked_events}}
  (tenant_id, projection_name, projection_version, event_tenant_id, stream_id, position);
