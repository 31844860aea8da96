-- What process managers know of each correlation, and what they have asked for and was not carried out yet.
create table {{process_instances}} (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  completed smallint not null,
  state {{data_type}} not null,
  pending {{data_type}} not null, -- ids of the timeouts that may still fire, by name
  updated_at timestamptz not null,
  constraint process_instances_pkey primary key (tenant_id, process_name, correlation_id)
);

-- In the order of positions and numbers. A row is gone once it was carried out.
create table {{process_outbox}} (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  position bigint not null, -- of the event that led to it
  number integer not null,
  correlation_id text collate "C" not null,
  entry {{data_type}} not null,
  attempts integer not null default 0,
  error_message text,
  due_at timestamptz not null,
  constraint process_outbox_pkey primary key (tenant_id, process_name, position, number)
);

create index idx_process_outbox_correlation on {{process_outbox}} (tenant_id, process_name, correlation_id, position, number);

create table {{process_timeouts}} (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  timeout_name text collate "C" not null,
  timeout_id text collate "C" not null,
  due_at timestamptz not null,
  data {{data_type}} not null,
  constraint process_timeouts_pkey primary key (tenant_id, process_name, correlation_id, timeout_name)
);

create index idx_process_timeouts_due on {{process_timeouts}} (tenant_id, process_name, due_at);
