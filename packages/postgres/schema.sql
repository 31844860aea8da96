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
