-- What process managers know of each correlation, and what they have asked for and was not carried out yet.
create table {{process_instances}} (
  tenant_id text not null,
  process_name text not null,
  correlation_id text not null check (correlation_id <> ''),
  completed integer not null,
  state text not null,
  pending text not null, -- ids of the timeouts that may still fire, by name
  updated_at integer not null,
  primary key (tenant_id, process_name, correlation_id)
) strict;

-- In the order of positions and numbers. A row is gone once it was carried out.
create table {{process_outbox}} (
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

create index {{idx_process_outbox_correlation}} on {{process_outbox}}
  (tenant_id, process_name, correlation_id, position, number);

create table {{process_timeouts}} (
  tenant_id text not null,
  process_name text not null,
  correlation_id text not null,
  timeout_name text not null,
  timeout_id text not null,
  due_at integer not null,
  data text not null,
  primary key (tenant_id, process_name, correlation_id, timeout_name)
) strict;

create index {{idx_process_timeouts_due}} on {{process_timeouts}} (tenant_id, process_name, due_at);
