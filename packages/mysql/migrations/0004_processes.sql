-- What process managers know of each correlation, and what they have asked for and was not carried out yet.
create table if not exists {{process_instances}} (
  tenant_id varchar(255) not null,
  process_name varchar(100) not null,
  correlation_id varchar(255) not null,
  completed tinyint not null,
  state longtext not null,
  pending longtext not null comment 'ids of the timeouts that may still fire, by name',
  updated_at datetime(6) not null,
  primary key (tenant_id, process_name, correlation_id)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- In the order of positions and numbers. A row is gone once it was carried out.
create table if not exists {{process_outbox}} (
  tenant_id varchar(255) not null,
  process_name varchar(100) not null,
  position bigint not null comment 'of the event that led to it',
  number int not null,
  correlation_id varchar(255) not null,
  entry longtext not null,
  attempts int not null default 0,
  error_message text,
  due_at datetime(6) not null,
  primary key (tenant_id, process_name, position, number),
  key idx_process_outbox_correlation (tenant_id, process_name, correlation_id, position, number)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

create table if not exists {{process_timeouts}} (
  tenant_id varchar(255) not null,
  process_name varchar(100) not null,
  correlation_id varchar(255) not null,
  timeout_name varchar(100) not null,
  timeout_id varchar(255) not null,
  due_at datetime(6) not null,
  data longtext not null,
  primary key (tenant_id, process_name, correlation_id, timeout_name),
  key idx_process_timeouts_due (tenant_id, process_name, due_at)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;
