-- What the migrations come to, written by test/schema.test.ts from a server's catalogues; do not edit.

create table event_streams (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  archived_at timestamp with time zone,
  constraint event_streams_pkey PRIMARY KEY (tenant_id, stream_id),
  constraint event_streams_stream_type_check CHECK (stream_type <> ''::text),
  constraint event_streams_version_check CHECK (version >= 0)
) with (fillfactor=70);

create table events (
  "position" bigint default nextval('events_position_seq'::regclass) not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  schema_version integer not null,
  event_data jsonb not null,
  metadata jsonb not null,
  tags text[] collate "C" not null,
  correlation_id text collate "C",
  causation_id text collate "C",
  created_by text collate "C",
  occurred_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  event_size_bytes integer not null,
  checksum bytea not null,
  constraint events_pkey PRIMARY KEY ("position"),
  constraint events_event_type_check CHECK (event_type <> ''::text),
  constraint events_stream_type_check CHECK (stream_type <> ''::text),
  constraint events_version_check CHECK (version > 0)
);

create table parked_events (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  "position" bigint not null,
  shard integer not null,
  event_tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  version bigint not null,
  event_id uuid not null,
  event_type text collate "C" not null,
  error_message text not null,
  attempts integer not null,
  retry_requested smallint default 0 not null,
  parked_at timestamp with time zone default clock_timestamp() not null,
  constraint parked_events_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, "position"),
  constraint parked_events_attempts_check CHECK (attempts >= 0)
);

create table process_instances (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  completed smallint not null,
  state jsonb not null,
  pending jsonb not null,
  updated_at timestamp with time zone not null,
  constraint process_instances_pkey PRIMARY KEY (tenant_id, process_name, correlation_id)
);

create table process_outbox (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  "position" bigint not null,
  number integer not null,
  correlation_id text collate "C" not null,
  entry jsonb not null,
  attempts integer default 0 not null,
  error_message text,
  due_at timestamp with time zone not null,
  constraint process_outbox_pkey PRIMARY KEY (tenant_id, process_name, "position", number)
);

create table process_timeouts (
  tenant_id text collate "C" not null,
  process_name text collate "C" not null,
  correlation_id text collate "C" not null,
  timeout_name text collate "C" not null,
  timeout_id text collate "C" not null,
  due_at timestamp with time zone not null,
  data jsonb not null,
  constraint process_timeouts_pkey PRIMARY KEY (tenant_id, process_name, correlation_id, timeout_name)
);

create table projection_checkpoints (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  shards integer not null,
  last_position bigint default 0 not null,
  last_event_id uuid,
  last_event_position bigint,
  last_processed_at timestamp with time zone,
  events_processed bigint default 0 not null,
  status text collate "C" not null,
  error_message text,
  pending_step text collate "C",
  in_charge smallint default 0 not null,
  target_position bigint default 0 not null,
  log_id text collate "C" not null,
  epoch bigint default 0 not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  constraint projection_checkpoints_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, shard),
  constraint projection_checkpoints_position_check CHECK (last_position >= 0),
  constraint projection_checkpoints_shard_check CHECK (shard >= 0 AND shard < shards),
  constraint projection_checkpoints_status_check CHECK (status = ANY (ARRAY['running'::text, 'paused'::text, 'rebuilding'::text, 'faulted'::text])),
  constraint projection_checkpoints_step_check CHECK (pending_step = ANY (ARRAY['set-up'::text, 'reset'::text])),
  constraint projection_checkpoints_version_check CHECK (projection_version > 0)
) with (fillfactor=25, autovacuum_vacuum_threshold=200, autovacuum_vacuum_scale_factor=0);

create table projection_leases (
  tenant_id text collate "C" not null,
  projection_name text collate "C" not null,
  projection_version integer not null,
  shard integer not null,
  owner text collate "C" not null,
  epoch bigint not null,
  expires_at timestamp with time zone not null,
  connection text collate "C",
  wanted_by text collate "C",
  wanted_until timestamp with time zone,
  constraint projection_leases_pkey PRIMARY KEY (tenant_id, projection_name, projection_version, shard)
) with (fillfactor=25, autovacuum_vacuum_threshold=200, autovacuum_vacuum_scale_factor=0);

create table snapshots (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  snapshot_type text collate "C" not null,
  version bigint not null,
  schema_version integer not null,
  state jsonb not null,
  created_at timestamp with time zone not null,
  constraint snapshots_pkey PRIMARY KEY (tenant_id, stream_id, snapshot_type, version),
  constraint snapshots_schema_version_check CHECK (schema_version > 0),
  constraint snapshots_version_check CHECK (version > 0)
);

create table varve_meta (
  name text collate "C" not null,
  value text not null,
  constraint varve_meta_pkey PRIMARY KEY (name)
);

create table varve_migrations (
  name text collate "C" not null,
  checksum text not null,
  applied_at timestamp with time zone,
  duration_ms integer,
  constraint varve_migrations_pkey PRIMARY KEY (name)
);

create sequence events_position_seq as bigint start 1 increment 1 minvalue 1 maxvalue 9223372036854775807 cache 1 owned by events.position;

CREATE INDEX idx_event_streams_id ON event_streams USING btree (stream_id, tenant_id);

CREATE INDEX idx_event_streams_type ON event_streams USING btree (tenant_id, stream_type, stream_id);

CREATE INDEX idx_events_causation_id ON events USING btree (tenant_id, causation_id, "position") WHERE causation_id IS NOT NULL;

CREATE INDEX idx_events_correlation_id ON events USING btree (tenant_id, correlation_id, "position") WHERE correlation_id IS NOT NULL;

CREATE INDEX idx_events_created_at ON events USING brin (created_at);

CREATE UNIQUE INDEX idx_events_event_id ON events USING btree (tenant_id, event_id);

CREATE UNIQUE INDEX idx_events_stream ON events USING btree (tenant_id, stream_id, version);

CREATE INDEX idx_events_type ON events USING btree (tenant_id, event_type, "position");

CREATE INDEX idx_parked_events_stream ON parked_events USING btree (tenant_id, projection_name, projection_version, event_tenant_id, stream_id, "position");

CREATE INDEX idx_process_outbox_correlation ON process_outbox USING btree (tenant_id, process_name, correlation_id, "position", number);

CREATE INDEX idx_process_timeouts_due ON process_timeouts USING btree (tenant_id, process_name, due_at);

CREATE INDEX idx_snapshots_cleanup ON snapshots USING btree (tenant_id, created_at);

CREATE INDEX idx_snapshots_type ON snapshots USING btree (tenant_id, snapshot_type);

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if coalesce(current_setting('varve.maintenance', true), '') = 'on' then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  raise exception 'events are append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'restrict_violation',
      hint = 'Append a correcting event; retention and repair go through store.maintenance().';
end
$function$;

CREATE OR REPLACE FUNCTION should_snapshot(p_tenant_id text, p_stream_id text, p_new_version bigint, p_every bigint DEFAULT 100)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select p_new_version - coalesce(max(version), 0) >= p_every
  from "golden"."snapshots"
  where tenant_id = p_tenant_id and stream_id = p_stream_id
$function$;

CREATE TRIGGER trigger_events_append_only BEFORE DELETE OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER trigger_events_no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

create view v_event_statistics as
 SELECT tenant_id,
    stream_type,
    event_type,
    count(*) AS event_count,
    avg(event_size_bytes) AS avg_size_bytes,
    max(event_size_bytes) AS max_size_bytes,
    min(created_at) AS first_event_at,
    max(created_at) AS last_event_at,
    count(DISTINCT stream_id) AS unique_streams
   FROM events
  GROUP BY tenant_id, stream_type, event_type;

create view v_recent_events as
 SELECT event_id,
    tenant_id,
    stream_id,
    stream_type,
    event_type,
    version,
    "position",
    created_at,
    correlation_id
   FROM events
  WHERE created_at > (now() - '24:00:00'::interval);
