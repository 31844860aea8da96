-- Where projections are. Tenant '' stands for all tenants.

create table if not exists {{projection_checkpoints}} (
  tenant_id varchar(255) not null,
  projection_name varchar(100) not null,
  projection_version int not null,
  shard int not null,
  shards int not null,
  last_position bigint not null default 0 comment 'everything up to here was applied, skipped by policy, or parked',
  last_event_id char(36) character set ascii collate ascii_bin comment 'of the last event that was, at last_event_position',
  last_event_position bigint,
  last_processed_at datetime(6),
  events_processed bigint not null default 0,
  status varchar(20) not null,
  error_message text,
  pending_step varchar(20) comment 'to be done before the next event',
  in_charge tinyint not null default 0 comment '1 once this version has taken over',
  target_position bigint not null default 0 comment 'as far as a version has to have come before it may take over',
  log_id char(36) character set ascii collate ascii_bin not null,
  epoch bigint not null default 0,
  created_at datetime(6) not null default (utc_timestamp(6)),
  primary key (tenant_id, projection_name, projection_version, shard),
  check (projection_version > 0),
  check (shard >= 0 and shard < shards),
  check (last_position >= 0),
  check (status in ('running', 'paused', 'rebuilding', 'faulted')),
  check (pending_step in ('set-up', 'reset'))
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- Apart from the checkpoints: renewing a lease never waits for a batch.
create table if not exists {{projection_leases}} (
  tenant_id varchar(255) not null,
  projection_name varchar(100) not null,
  projection_version int not null,
  shard int not null,
  owner varchar(255) not null,
  epoch bigint not null,
  expires_at datetime(6) not null,
  connection varchar(255) comment 'of the batch under way, on engines that have to end it',
  wanted_by varchar(255) comment 'a process that has fewer; the owner hands it over',
  wanted_until datetime(6),
  primary key (tenant_id, projection_name, projection_version, shard)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- The events themselves stay in the log. What is behind a parked event in its stream is parked behind it.
create table if not exists {{parked_events}} (
  tenant_id varchar(255) not null comment 'of the projection',
  projection_name varchar(100) not null,
  projection_version int not null,
  position bigint not null,
  shard int not null,
  event_tenant_id varchar(255) not null,
  stream_id varchar(255) not null,
  version bigint not null,
  event_id char(36) character set ascii collate ascii_bin not null,
  event_type varchar(255) not null,
  error_message text not null,
  attempts int not null comment '0: it only waits behind another one',
  retry_requested tinyint not null default 0,
  parked_at datetime(6) not null default (utc_timestamp(6)),
  primary key (tenant_id, projection_name, projection_version, position),
  key idx_parked_events_stream (tenant_id, projection_name, projection_version, stream_id, position),
  check (attempts >= 0)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;
