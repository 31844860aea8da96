-- Times are in UTC. Each statement may be repeated: DDL commits by itself here.

-- Who is to be told of what. A deleted endpoint keeps its row: jobs and deliveries are its audit.
create table if not exists {{webhook_endpoints}} (
  id varchar(64) not null,
  tenant_id varchar(255), -- null: of the events of all tenants
  url varchar(2100) not null,
  description text not null,
  event_filter text not null, -- event types, exact or prefixes that end in '.*'; ["*"] is all
  custom_headers mediumtext not null, -- names, with values encrypted as secrets are
  timeout_ms int not null,
  max_retries int not null,
  retry_policy text not null,
  ordering varchar(16) not null,
  on_exhausted varchar(16) not null,
  max_concurrency int not null,
  rate_limit int, -- per second; null: none
  enabled tinyint not null,
  disabled_reason text,
  disabled_at datetime(6),
  start_position bigint not null, -- events at or below it are older than the endpoint
  gap_from bigint, -- the first and the last event that it missed while it was disabled
  gap_to bigint,
  generation int not null, -- of its last replay
  revision bigint not null, -- raised with each change: workers keep what they have read until then
  created_at datetime(6) not null,
  updated_at datetime(6) not null,
  deleted_at datetime(6),
  primary key (id),
  check (ordering in ('none', 'stream')),
  check (on_exhausted in ('block', 'skip')),
  check (timeout_ms > 0),
  check (max_retries >= 0),
  key idx_webhook_endpoints_tenant (tenant_id, id)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- Live signing secrets, encrypted: key id, nonce and ciphertext; the endpoint's id is authenticated with them.
create table if not exists {{webhook_secrets}} (
  id varchar(64) not null,
  endpoint_id varchar(64) not null,
  sealed text not null,
  created_at datetime(6) not null,
  expires_at datetime(6), -- null: the current one
  primary key (id),
  foreign key (endpoint_id) references {{webhook_endpoints}} (id),
  key idx_webhook_secrets_endpoint (endpoint_id)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- How an endpoint is doing, shared by all workers. Whoever holds its row hands out its jobs.
create table if not exists {{webhook_endpoint_health}} (
  endpoint_id varchar(64) not null,
  active tinyint not null, -- enabled, and not deleted
  revision bigint not null, -- of the endpoint
  due_at datetime(6), -- when its next job is due, or earlier; null: none waits
  not_before datetime(6), -- nothing is sent until then
  hold_reason text,
  breaker_state varchar(16) not null,
  breaker_failures int not null,
  breaker_successes int not null,
  send_window int not null, -- how many requests at once it has earned
  tokens double not null,
  tokens_at datetime(6),
  failing_since datetime(6),
  primary key (endpoint_id),
  foreign key (endpoint_id) references {{webhook_endpoints}} (id),
  key idx_webhook_endpoint_health_due (due_at),
  check (breaker_state in ('closed', 'open', 'half_open'))
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- An event owed to an endpoint. What is to be sent is made from the event; secrets, address and headers are the endpoint's.
create table if not exists {{webhook_jobs}} (
  id char(36) not null,
  endpoint_id varchar(64) not null,
  tenant_id varchar(255) not null,
  event_id char(36) not null,
  event_type varchar(255) not null,
  position bigint not null, -- of the event; 0 for a test, which is not in the log
  generation int not null, -- 0, and one more for each replay
  lane varchar(32), -- jobs of one lane go out one after the other; null: at once
  payload longtext, -- of a test
  status varchar(16) not null,
  attempts int not null,
  max_attempts int not null,
  lost int not null, -- how often its worker was not heard of again
  next_attempt datetime(6), -- null: waits behind another job of its lane
  fence bigint not null, -- raised with each claim; an answer counts only under the newest
  locked_by text,
  locked_until datetime(6),
  last_error text,
  last_status_code int,
  created_at datetime(6) not null,
  updated_at datetime(6) not null,
  primary key (id),
  foreign key (endpoint_id) references {{webhook_endpoints}} (id),
  unique (endpoint_id, tenant_id, event_id, generation),
  check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  key idx_webhook_jobs_due (endpoint_id, status, next_attempt, position),
  key idx_webhook_jobs_processing (status, locked_until),
  key idx_webhook_jobs_lane (endpoint_id, lane, status, position),
  key idx_webhook_jobs_endpoint (endpoint_id, id),
  key idx_webhook_jobs_created_at (created_at)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

-- Every attempt. No key binds it to its job or endpoint: it outlives both.
create table if not exists {{webhook_deliveries}} (
  id char(36) not null,
  job_id char(36) not null,
  endpoint_id varchar(64) not null,
  tenant_id varchar(255) not null,
  event_id char(36) not null,
  event_type varchar(255) not null,
  attempt int not null,
  succeeded tinyint not null,
  status_code int, -- also of an answer that failed; null: none came
  response_body longtext,
  error text,
  duration_ms int not null,
  created_at datetime(6) not null,
  primary key (id),
  key idx_webhook_deliveries_job (job_id),
  key idx_webhook_deliveries_endpoint (endpoint_id, created_at),
  key idx_webhook_deliveries_created_at (created_at)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

create table if not exists {{webhook_state}} (
  name varchar(255) not null,
  value bigint not null,
  primary key (name)
) engine = innodb default character set utf8mb4 collate utf8mb4_0900_bin;

insert ignore into {{webhook_state}} (name, value) values ('revision', 1);

-- Jobs and deliveries are counted apart: joined first, a job with three deliveries would count three times.
create or replace sql security invoker view {{webhook_stats}} as
select
  e.id as endpoint_id,
  e.tenant_id,
  e.url,
  e.enabled,
  coalesce(j.total_jobs, 0) as total_jobs,
  coalesce(j.pending_jobs, 0) as pending_jobs,
  coalesce(j.processing_jobs, 0) as processing_jobs,
  coalesce(j.completed_jobs, 0) as completed_jobs,
  coalesce(j.failed_jobs, 0) as failed_jobs,
  coalesce(j.cancelled_jobs, 0) as cancelled_jobs,
  coalesce(d.total_deliveries, 0) as total_deliveries,
  coalesce(d.successful_deliveries, 0) as successful_deliveries,
  coalesce(d.failed_deliveries, 0) as failed_deliveries,
  d.avg_duration_ms,
  d.last_delivery_at
from {{webhook_endpoints}} e
left join (
  select
    endpoint_id,
    count(*) as total_jobs,
    sum(case when status = 'pending' then 1 else 0 end) as pending_jobs,
    sum(case when status = 'processing' then 1 else 0 end) as processing_jobs,
    sum(case when status = 'completed' then 1 else 0 end) as completed_jobs,
    sum(case when status = 'failed' then 1 else 0 end) as failed_jobs,
    sum(case when status = 'cancelled' then 1 else 0 end) as cancelled_jobs
  from {{webhook_jobs}}
  group by endpoint_id
) j on j.endpoint_id = e.id
left join (
  select
    endpoint_id,
    count(*) as total_deliveries,
    sum(case when succeeded then 1 else 0 end) as successful_deliveries,
    sum(case when succeeded then 0 else 1 end) as failed_deliveries,
    avg(duration_ms) as avg_duration_ms,
    max(created_at) as last_delivery_at
  from {{webhook_deliveries}}
  group by endpoint_id
) d on d.endpoint_id = e.id;
