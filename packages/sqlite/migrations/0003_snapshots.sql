-- What streams came to at one of their versions. Disposable: the events still say it all.
-- With rowid: a state may be large, and would fill the key's own pages.
create table {{snapshots}} (
  tenant_id text not null check (tenant_id <> ''),
  stream_id text not null check (stream_id <> ''),
  snapshot_type text not null check (snapshot_type <> ''),
  version integer not null check (version > 0), -- of the last event that is in it
  schema_version integer not null check (schema_version > 0), -- of the state
  state text not null,
  created_at integer not null,
  primary key (tenant_id, stream_id, snapshot_type, version) -- serves the latest of a stream too
) strict;

create index {{idx_snapshots_cleanup}} on {{snapshots}} (tenant_id, created_at);
create index {{idx_snapshots_type}} on {{snapshots}} (tenant_id, snapshot_type);
