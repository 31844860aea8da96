-- The event store, on MySQL and MariaDB. A name in double braces stands for itself behind the table prefix, in backticks.
-- DDL commits by itself here, so each statement may be repeated: a migration that was killed half-way is run again.
-- Names are compared byte by byte and without padding. On MariaDB, which calls the collation so, utf8mb4_nopad_bin is put for it.
-- Times are in UTC.

create table if not exists {{event_streams}} (
  tenant_id varchar(255) not null,
  stream_id varchar(255) not null,
  stream_type varchar(255) not null,
  version bigint not null,
  created_at datetime(6) not null comment 'of the first event',
  updated_at datetime(6) not null comment 'of the last event',
  archived_at datetime(6),
  primary key (tenant_id, stream_id),
  key idx_event_streams_id (stream_id, tenant_id),
  key idx_event_streams_type (tenant_id, stream_type, stream_id),
  check (version >= 0)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- The head of the log itself, which no stream can be called like: who appends holds its lock until the commit, so that
-- positions become visible in their order.
insert ignore into {{event_streams}} (tenant_id, stream_id, stream_type, version, created_at, updated_at)
values ('', '', '', 0, utc_timestamp(6), utc_timestamp(6));

create table if not exists {{events}} (
  position bigint not null auto_increment,
  tenant_id varchar(255) not null,
  stream_id varchar(255) not null,
  stream_type varchar(255) not null,
  version bigint not null,
  event_id char(36) character set ascii collate ascii_bin not null,
  event_type varchar(255) not null,
  schema_version int not null,
  event_data longtext not null,
  metadata longtext not null,
  tags text not null,
  correlation_id varchar(255),
  causation_id varchar(255),
  created_by varchar(255),
  occurred_at datetime(3) not null,
  created_at datetime(6) not null,
  event_size_bytes int not null,
  checksum char(64) character set ascii collate ascii_bin not null,
  primary key (position),
  unique key idx_events_stream (tenant_id, stream_id, version),
  unique key idx_events_event_id (tenant_id, event_id),
  key idx_events_type (tenant_id, event_type, position),
  key idx_events_created_at (created_at),
  key idx_events_correlation_id (tenant_id, correlation_id, position),
  key idx_events_causation_id (tenant_id, causation_id, position),
  check (tenant_id <> ''),
  check (stream_id <> ''),
  check (stream_type <> ''),
  check (version > 0),
  check (event_type <> ''),
  check (schema_version > 0),
  check (json_valid(event_data)),
  check (json_valid(metadata)),
  check (json_valid(tags))
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- For filters. Its foreign key also keeps TRUNCATE away from the events, for which no trigger fires.
create table if not exists {{event_tags}} (
  tenant_id varchar(255) not null,
  tag varchar(255) not null,
  position bigint not null,
  primary key (tenant_id, tag, position),
  key idx_event_tags_position (position),
  foreign key (position) references {{events}} (position) on delete cascade
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

create table if not exists {{varve_meta}} (
  name varchar(64) not null,
  value varchar(255) not null,
  primary key (name)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- a random UUID: consumers remember by it which log they read
insert ignore into {{varve_meta}} (name, value) values (
  'log_id',
  lower(concat(
    hex(random_bytes(4)), '-', hex(random_bytes(2)), '-4', substr(hex(random_bytes(2)), 2), '-',
    substr('89ab', 1 + floor(rand() * 4), 1), substr(hex(random_bytes(2)), 2), '-', hex(random_bytes(6))
  ))
);

create or replace sql security invoker view {{v_event_statistics}} as
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

create or replace sql security invoker view {{v_recent_events}} as
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
where created_at > utc_timestamp(6) - interval 24 hour;

-- Append-only: guards against accidents, not against the owner of the tables. store.maintenance() sets the variable.
delimiter //

create trigger if not exists {{trigger_events_no_update}} before update on {{events}} for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be updated; retention and repair go through store.maintenance()';
end if //

create trigger if not exists {{trigger_events_no_delete}} before delete on {{events}} for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be deleted; retention and repair go through store.maintenance()';
end if //

create trigger if not exists {{trigger_event_tags_no_update}} before update on {{event_tags}} for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be updated';
end if //

create trigger if not exists {{trigger_event_tags_no_delete}} before delete on {{event_tags}} for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be deleted';
end if //

-- One event to a stream that exists, without a tag, in one round trip: how a lone append goes out. Anything else is left to
-- the statements of the append step, which can do all of it; so the store gets along without this procedure.
drop procedure if exists {{append_event}} //

create procedure {{append_event}}(
  p_tenant_id varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_stream_id varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_stream_type varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_expected bigint,
  p_event_id char(36) character set utf8mb4 collate utf8mb4_0900_bin,
  p_event_type varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_schema_version int,
  p_data longtext character set utf8mb4 collate utf8mb4_0900_bin,
  p_metadata longtext character set utf8mb4 collate utf8mb4_0900_bin,
  p_correlation_id varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_causation_id varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_created_by varchar(255) character set utf8mb4 collate utf8mb4_0900_bin,
  p_occurred_at datetime(3),
  p_size int,
  p_pre longtext character set utf8mb4 collate utf8mb4_0900_bin,
  p_post longtext character set utf8mb4 collate utf8mb4_0900_bin
)
sql security invoker
begin
  declare v_log bigint;
  declare v_version bigint;
  declare v_at datetime(6);
  declare exit handler for sqlexception
  begin
    rollback;
    resignal;
  end;
  start transaction;
  select version into v_log from {{event_streams}} where tenant_id = '' and stream_id = '' for update;
  set v_at = utc_timestamp(6);
  do last_insert_id(0);
  update {{event_streams}} set version = last_insert_id(version + 1), updated_at = v_at
  where tenant_id = p_tenant_id and stream_id = p_stream_id and v_log is not null
    and stream_type = p_stream_type and archived_at is null and updated_at <= v_at
    and (p_expected < 0 or version = p_expected);
  set v_version = last_insert_id();
  if v_version > 0 then
    insert into {{events}} (tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
      metadata, tags, correlation_id, causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum)
    values (p_tenant_id, p_stream_id, p_stream_type, v_version, p_event_id, p_event_type, p_schema_version, p_data,
      p_metadata, '[]', p_correlation_id, p_causation_id, p_created_by, p_occurred_at, v_at, p_size,
      sha2(concat(p_pre, p_data, ',"id":"', p_event_id, '","metadata":', p_metadata, p_post, v_version, '}'), 256));
  end if;
  select v_version, last_insert_id(), v_at;
  commit;
end //

delimiter ;
