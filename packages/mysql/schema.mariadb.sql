-- What the migrations come to on MariaDB, written by test/schema.test.ts from the server's answers; do not edit.

CREATE TABLE `event_streams` (
  `tenant_id` varchar(255) NOT NULL,
  `stream_id` varchar(255) NOT NULL,
  `stream_type` varchar(255) NOT NULL,
  `version` bigint(20) NOT NULL,
  `created_at` datetime(6) NOT NULL COMMENT 'of the first event',
  `updated_at` datetime(6) NOT NULL COMMENT 'of the last event',
  `archived_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`stream_id`),
  KEY `idx_event_streams_id` (`stream_id`,`tenant_id`),
  KEY `idx_event_streams_type` (`tenant_id`,`stream_type`,`stream_id`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`version` >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `event_tags` (
  `tenant_id` varchar(255) NOT NULL,
  `tag` varchar(255) NOT NULL,
  `position` bigint(20) NOT NULL,
  PRIMARY KEY (`tenant_id`,`tag`,`position`),
  KEY `idx_event_tags_position` (`position`),
  CONSTRAINT `event_tags_ibfk_1` FOREIGN KEY (`position`) REFERENCES `events` (`position`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `events` (
  `position` bigint(20) NOT NULL AUTO_INCREMENT,
  `tenant_id` varchar(255) NOT NULL,
  `stream_id` varchar(255) NOT NULL,
  `stream_type` varchar(255) NOT NULL,
  `version` bigint(20) NOT NULL,
  `event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `event_type` varchar(255) NOT NULL,
  `schema_version` int(11) NOT NULL,
  `event_data` longtext NOT NULL,
  `metadata` longtext NOT NULL,
  `tags` text NOT NULL,
  `correlation_id` varchar(255) DEFAULT NULL,
  `causation_id` varchar(255) DEFAULT NULL,
  `created_by` varchar(255) DEFAULT NULL,
  `occurred_at` datetime(3) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `event_size_bytes` int(11) NOT NULL,
  `checksum` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (`position`),
  UNIQUE KEY `idx_events_stream` (`tenant_id`,`stream_id`,`version`),
  UNIQUE KEY `idx_events_event_id` (`tenant_id`,`event_id`),
  KEY `idx_events_type` (`tenant_id`,`event_type`,`position`),
  KEY `idx_events_created_at` (`created_at`),
  KEY `idx_events_correlation_id` (`tenant_id`,`correlation_id`,`position`),
  KEY `idx_events_causation_id` (`tenant_id`,`causation_id`,`position`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`tenant_id` <> ''),
  CONSTRAINT `CONSTRAINT_2` CHECK (`stream_id` <> ''),
  CONSTRAINT `CONSTRAINT_3` CHECK (`stream_type` <> ''),
  CONSTRAINT `CONSTRAINT_4` CHECK (`version` > 0),
  CONSTRAINT `CONSTRAINT_5` CHECK (`event_type` <> ''),
  CONSTRAINT `CONSTRAINT_6` CHECK (`schema_version` > 0),
  CONSTRAINT `CONSTRAINT_7` CHECK (json_valid(`event_data`)),
  CONSTRAINT `CONSTRAINT_8` CHECK (json_valid(`metadata`)),
  CONSTRAINT `CONSTRAINT_9` CHECK (json_valid(`tags`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `parked_events` (
  `tenant_id` varchar(255) NOT NULL COMMENT 'of the projection',
  `projection_name` varchar(100) NOT NULL,
  `projection_version` int(11) NOT NULL,
  `position` bigint(20) NOT NULL,
  `shard` int(11) NOT NULL,
  `event_tenant_id` varchar(255) NOT NULL,
  `stream_id` varchar(255) NOT NULL,
  `version` bigint(20) NOT NULL,
  `event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `event_type` varchar(255) NOT NULL,
  `error_message` text NOT NULL,
  `attempts` int(11) NOT NULL COMMENT '0: it only waits behind another one',
  `retry_requested` tinyint(4) NOT NULL DEFAULT 0,
  `parked_at` datetime(6) NOT NULL DEFAULT utc_timestamp(6),
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`position`),
  KEY `idx_parked_events_stream` (`tenant_id`,`projection_name`,`projection_version`,`stream_id`,`position`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`attempts` >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `process_instances` (
  `tenant_id` varchar(255) NOT NULL,
  `process_name` varchar(100) NOT NULL,
  `correlation_id` varchar(255) NOT NULL,
  `completed` tinyint(4) NOT NULL,
  `state` longtext NOT NULL,
  `pending` longtext NOT NULL COMMENT 'ids of the timeouts that may still fire, by name',
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`correlation_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `process_outbox` (
  `tenant_id` varchar(255) NOT NULL,
  `process_name` varchar(100) NOT NULL,
  `position` bigint(20) NOT NULL COMMENT 'of the event that led to it',
  `number` int(11) NOT NULL,
  `correlation_id` varchar(255) NOT NULL,
  `entry` longtext NOT NULL,
  `attempts` int(11) NOT NULL DEFAULT 0,
  `error_message` text DEFAULT NULL,
  `due_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`position`,`number`),
  KEY `idx_process_outbox_correlation` (`tenant_id`,`process_name`,`correlation_id`,`position`,`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `process_timeouts` (
  `tenant_id` varchar(255) NOT NULL,
  `process_name` varchar(100) NOT NULL,
  `correlation_id` varchar(255) NOT NULL,
  `timeout_name` varchar(100) NOT NULL,
  `timeout_id` varchar(255) NOT NULL,
  `due_at` datetime(6) NOT NULL,
  `data` longtext NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`correlation_id`,`timeout_name`),
  KEY `idx_process_timeouts_due` (`tenant_id`,`process_name`,`due_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `projection_checkpoints` (
  `tenant_id` varchar(255) NOT NULL,
  `projection_name` varchar(100) NOT NULL,
  `projection_version` int(11) NOT NULL,
  `shard` int(11) NOT NULL,
  `shards` int(11) NOT NULL,
  `last_position` bigint(20) NOT NULL DEFAULT 0 COMMENT 'everything up to here was applied, skipped by policy, or parked',
  `last_event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL COMMENT 'of the last event that was, at last_event_position',
  `last_event_position` bigint(20) DEFAULT NULL,
  `last_processed_at` datetime(6) DEFAULT NULL,
  `events_processed` bigint(20) NOT NULL DEFAULT 0,
  `status` varchar(20) NOT NULL,
  `error_message` text DEFAULT NULL,
  `pending_step` varchar(20) DEFAULT NULL COMMENT 'to be done before the next event',
  `in_charge` tinyint(4) NOT NULL DEFAULT 0 COMMENT '1 once this version has taken over',
  `target_position` bigint(20) NOT NULL DEFAULT 0 COMMENT 'as far as a version has to have come before it may take over',
  `log_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `epoch` bigint(20) NOT NULL DEFAULT 0,
  `created_at` datetime(6) NOT NULL DEFAULT utc_timestamp(6),
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`shard`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`projection_version` > 0),
  CONSTRAINT `CONSTRAINT_2` CHECK (`shard` >= 0 and `shard` < `shards`),
  CONSTRAINT `CONSTRAINT_3` CHECK (`last_position` >= 0),
  CONSTRAINT `CONSTRAINT_4` CHECK (`status` in ('running','paused','rebuilding','faulted')),
  CONSTRAINT `CONSTRAINT_5` CHECK (`pending_step` in ('set-up','reset'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `projection_leases` (
  `tenant_id` varchar(255) NOT NULL,
  `projection_name` varchar(100) NOT NULL,
  `projection_version` int(11) NOT NULL,
  `shard` int(11) NOT NULL,
  `owner` varchar(255) NOT NULL,
  `epoch` bigint(20) NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  `connection` varchar(255) DEFAULT NULL COMMENT 'of the batch under way, on engines that have to end it',
  `wanted_by` varchar(255) DEFAULT NULL COMMENT 'a process that has fewer; the owner hands it over',
  `wanted_until` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`shard`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `snapshots` (
  `tenant_id` varchar(255) NOT NULL,
  `stream_id` varchar(255) NOT NULL,
  `snapshot_type` varchar(255) NOT NULL,
  `version` bigint(20) NOT NULL COMMENT 'of the last event that is in it',
  `schema_version` int(11) NOT NULL COMMENT 'of the state',
  `state` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`stream_id`,`snapshot_type`,`version`),
  KEY `idx_snapshots_cleanup` (`tenant_id`,`created_at`),
  KEY `idx_snapshots_type` (`tenant_id`,`snapshot_type`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`version` > 0),
  CONSTRAINT `CONSTRAINT_2` CHECK (`schema_version` > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `varve_meta` (
  `name` varchar(64) NOT NULL,
  `value` varchar(255) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE `varve_migrations` (
  `name` varchar(255) NOT NULL,
  `checksum` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `applied_at` datetime(6) DEFAULT NULL,
  `duration_ms` int(11) DEFAULT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v_event_statistics` AS select `events`.`tenant_id` AS `tenant_id`,`events`.`stream_type` AS `stream_type`,`events`.`event_type` AS `event_type`,count(0) AS `event_count`,avg(`events`.`event_size_bytes`) AS `avg_size_bytes`,max(`events`.`event_size_bytes`) AS `max_size_bytes`,min(`events`.`created_at`) AS `first_event_at`,max(`events`.`created_at`) AS `last_event_at`,count(distinct `events`.`stream_id`) AS `unique_streams` from `events` group by `events`.`tenant_id`,`events`.`stream_type`,`events`.`event_type`;

CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v_recent_events` AS select `events`.`event_id` AS `event_id`,`events`.`tenant_id` AS `tenant_id`,`events`.`stream_id` AS `stream_id`,`events`.`stream_type` AS `stream_type`,`events`.`event_type` AS `event_type`,`events`.`version` AS `version`,`events`.`position` AS `position`,`events`.`created_at` AS `created_at`,`events`.`correlation_id` AS `correlation_id` from `events` where `events`.`created_at` > utc_timestamp(6) - interval 24 hour;

CREATE trigger if not exists `trigger_event_tags_no_delete` before delete on `event_tags` for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be deleted';
end if;

CREATE trigger if not exists `trigger_event_tags_no_update` before update on `event_tags` for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be updated';
end if;

CREATE trigger if not exists `trigger_events_no_delete` before delete on `events` for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be deleted; retention and repair go through store.maintenance()';
end if;

CREATE trigger if not exists `trigger_events_no_update` before update on `events` for each row
if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be updated; retention and repair go through store.maintenance()';
end if;

CREATE PROCEDURE `append_event`(
  p_tenant_id varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_stream_id varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_stream_type varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_expected bigint,
  p_event_id char(36) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_event_type varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_schema_version int,
  p_data longtext character set utf8mb4 collate utf8mb4_nopad_bin,
  p_metadata longtext character set utf8mb4 collate utf8mb4_nopad_bin,
  p_correlation_id varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_causation_id varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_created_by varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin,
  p_occurred_at datetime(3),
  p_size int,
  p_pre longtext character set utf8mb4 collate utf8mb4_nopad_bin,
  p_post longtext character set utf8mb4 collate utf8mb4_nopad_bin
)
    SQL SECURITY INVOKER
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
  select version into v_log from `event_streams` where tenant_id = '' and stream_id = '' for update;
  set v_at = utc_timestamp(6);
  do last_insert_id(0);
  update `event_streams` set version = last_insert_id(version + 1), updated_at = v_at
  where tenant_id = p_tenant_id and stream_id = p_stream_id and v_log is not null
    and stream_type = p_stream_type and archived_at is null and updated_at <= v_at
    and (p_expected < 0 or version = p_expected);
  set v_version = last_insert_id();
  if v_version > 0 then
    insert into `events` (tenant_id, stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
      metadata, tags, correlation_id, causation_id, created_by, occurred_at, created_at, event_size_bytes, checksum)
    values (p_tenant_id, p_stream_id, p_stream_type, v_version, p_event_id, p_event_type, p_schema_version, p_data,
      p_metadata, '[]', p_correlation_id, p_causation_id, p_created_by, p_occurred_at, v_at, p_size,
      sha2(concat(p_pre, p_data, ',"id":"', p_event_id, '","metadata":', p_metadata, p_post, v_version, '}'), 256));
  end if;
  select v_version, last_insert_id(), v_at;
  commit;
end;
