-- What streams came to at one of their versions. Disposable: the events still say it all.
create table if not exists {{snapshots}} (
  tenant_id varchar(255) not null,
  stream_id varchar(255) not null,
  snapshot_type varchar(255) not null,
  version bigint not null comment 'of the last event that is in it',
  schema_version int not null comment 'of the state',
  state longtext not null,
  created_at datetime(6) not null,
  primary key (tenant_id, stream_id, snapshot_type, version),
  key idx_snapshots_cleanup (tenant_id, created_at),
  key idx_snapshots_type (tenant_id, snapshot_type),
  check (version > 0),
  check (schema_version > 0)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;
