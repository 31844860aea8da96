-- What streams came to at one of their versions. Disposable: the events still say it all.
create table {{snapshots}} (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  snapshot_type text collate "C" not null,
  version bigint not null, -- of the last event that is in it
  schema_version integer not null, -- of the state
  state {{data_type}} not null,
  created_at timestamptz not null,
  constraint snapshots_pkey primary key (tenant_id, stream_id, snapshot_type, version), -- serves the latest of a stream too
  constraint snapshots_version_check check (version > 0),
  constraint snapshots_schema_version_check check (schema_version > 0)
);

create index idx_snapshots_cleanup on {{snapshots}} (tenant_id, created_at);
create index idx_snapshots_type on {{snapshots}} (tenant_id, snapshot_type);

-- Whether so many events have come since the stream's latest snapshot (or since its beginning, when it has none).
create function {{should_snapshot}}(
  p_tenant_id text,
  p_stream_id text,
  p_new_version bigint,
  p_every bigint default 100
) returns boolean language sql stable as $$
  select p_new_version - coalesce(max(version), 0) >= p_every
  from {{snapshots}}
  where tenant_id = p_tenant_id and stream_id = p_stream_id
$$;
