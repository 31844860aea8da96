-- Who is to be told of what. A deleted endpoint keeps its row: jobs and deliveries are its audit.
create table {{webhook_endpoints}} (
  id text collate "C" not null,
  tenant_id text collate "C", -- null: of the events of all tenants
  url text not null,
  description text not null,
  event_filter jsonb not null, -- event types, exact or prefixes that end in '.*'; ["*"] is all
  custom_headers jsonb not null, -- names, with values encrypted as secrets are
  timeout_ms integer not null,
  max_retries integer not null,
  retry_policy jsonb not null,
  ordering text collate "C" not null,
  on_exhausted text collate "C" not null,
  max_concurrency integer not null,
  rate_limit integer, -- per second; null: none
  enabled boolean not null,
  disabled_reason text,
  disabled_at timestamptz,
  start_position bigint not null, -- events at or below it are older than the endpoint
  gap_from bigint, -- the first and the last event that it missed while it was disabled
  gap_to bigint,
  generation integer not null, -- of its last replay
  revision bigint not null, -- raised with each change: workers keep what they have read until then
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint webhook_endpoints_pkey primary key (id),
  constraint webhook_endpoints_ordering_check check (ordering in ('none', 'stream')),
  constraint webhook_endpoints_on_exhausted_check check (on_exhausted in ('block', 'skip')),
  constraint webhook_endpoints_timeout_check check (timeout_ms > 0),
  constraint webhook_endpoints_retries_check check (max_retries >= 0)
);

create index idx_webhook_endpoints_tenant on {{webhook_endpoints}} (tenant_id, id);

-- Live signing secrets, encrypted: key id, nonce and ciphertext; the endpoint's id is authenticated with them.
create table {{webhook_secrets}} (
  id text collate "C" not null,
  endpoint_id text collate "C" not null,
  sealed text not null,
  created_at timestamptz not null,
  expires_at timestamptz, -- null: the current one
  constraint webhook_secrets_pkey primary key (id),
  constraint webhook_secrets_endpoint_fkey foreign key (endpoint_id) references {{webhook_endpoints}} (id)
);

create index idx_webhook_secrets_endpoint on {{webhook_secrets}} (endpoint_id);

-- How an endpoint is doing, shared by all workers. Whoever holds its row hands out its jobs.
create table {{webhook_endpoint_health}} (
  endpoint_id text collate "C" not null,
  active boolean not null, -- enabled, and not deleted
  revision bigint not null, -- of the endpoint
  due_at timestamptz, -- when its next job is due, or earlier; null: none waits
  not_before timestamptz, -- nothing is sent until then
  hold_reason text,
  breaker_state text collate "C" not null,
  breaker_failures integer not null,
  breaker_successes integer not null,
  send_window integer not null, -- how many requests at once it has earned
  tokens double precision not null,
  tokens_at timestamptz,
  failing_since timestamptz,
  constraint webhook_endpoint_health_pkey primary key (endpoint_id),
  constraint webhook_endpoint_health_endpoint_fkey foreign key (endpoint_id) references {{webhook_endpoints}} (id),
  constraint webhook_endpoint_health_breaker_check check (breaker_state in ('closed', 'open', 'half_open'))
) with ( -- small, and changed all the time: updates stay on their page, so that no index is touched
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000
);

-- An event owed to an endpoint. What is to be sent is made from the event; secrets, address and headers are the endpoint's.
create table {{webhook_jobs}} (
  id uuid not null,
  endpoint_id text collate "C" not null,
  tenant_id text collate "C" not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  position bigint not null, -- of the event; 0 for a test, which is not in the log
  generation integer not null, -- 0, and one more for each replay
  lane text collate "C", -- jobs of one lane go out one after the other; null: at once
  payload text, -- of a test
  status text collate "C" not null,
  attempts integer not null,
  max_attempts integer not null,
  lost integer not null, -- how often its worker was not heard of again
  next_attempt timestamptz, -- null: waits behind another job of its lane
  fence bigint not null, -- raised with each claim; an answer counts only under the newest
  locked_by text,
  locked_until timestamptz,
  last_error text,
  last_status_code integer,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint webhook_jobs_pkey primary key (id),
  constraint webhook_jobs_endpoint_fkey foreign key (endpoint_id) references {{webhook_endpoints}} (id),
  constraint webhook_jobs_once unique (endpoint_id, tenant_id, event_id, generation),
  constraint webhook_jobs_status_check check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

create index idx_webhook_jobs_due on {{webhook_jobs}} (endpoint_id, next_attempt, position) where status = 'pending';
create index idx_webhook_jobs_processing on {{webhook_jobs}} (endpoint_id, locked_until) where status = 'processing';
create index idx_webhook_jobs_lane on {{webhook_jobs}} (endpoint_id, lane, status, position)
  where lane is not null and status in ('pending', 'processing', 'failed');
create index idx_webhook_jobs_failed on {{webhook_jobs}} (endpoint_id, id) where status = 'failed';
create index idx_webhook_jobs_endpoint on {{webhook_jobs}} (endpoint_id, id);
create index idx_webhook_jobs_created_at on {{webhook_jobs}} using brin (created_at);

-- Every attempt. No key binds it to its job or endpoint: it outlives both.
create table {{webhook_deliveries}} (
  id uuid not null,
  job_id uuid not null,
  endpoint_id text collate "C" not null,
  tenant_id text collate "C" not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  attempt integer not null,
  succeeded boolean not null,
  status_code integer, -- also of an answer that failed; null: none came
  response_body text,
  error text,
  duration_ms integer not null,
  created_at timestamptz not null,
  constraint webhook_deliveries_pkey primary key (id)
);

create index idx_webhook_deliveries_job on {{webhook_deliveries}} (job_id);
create index idx_webhook_deliveries_endpoint on {{webhook_deliveries}} (endpoint_id, created_at);
create index idx_webhook_deliveries_created_at on {{webhook_deliveries}} (created_at);

create table {{webhook_state}} (
  name text collate "C" not null,
  value bigint not null,
  constraint webhook_state_pkey primary key (name)
);

insert into {{webhook_state}} (name, value) values ('revision', 1);

-- Jobs and deliveries are counted apart: joined first, a job with three deliveries would count three times.
create view {{webhook_stats}} as
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
