-- Where projections are. Tenant '' stands for all tenants.

create table {{projection_checkpoints}} (
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

-- Apart from the checkpoints: renewing a lease never waits for a batch.
create table {{projection_leases}} (
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

-- The events themselves stay in the log. What is behind a parked event in its stream is parked behind it.
create table {{parked_events}} (
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

create index {{idx_parked_events_stream}} on {{parked_events}}
  (tenant_id, projection_name, projection_version, event_tenant_id, stream_id, position);
