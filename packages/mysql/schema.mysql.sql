-- What the migrations come to on MySQL, written by test/schema.test.ts from the server's answers; do not edit.

CREATE TABLE `event_streams` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_type` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `version` bigint NOT NULL,
  `created_at` datetime(6) NOT NULL COMMENT 'of the first event',
  `updated_at` datetime(6) NOT NULL COMMENT 'of the last event',
  `archived_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`stream_id`),
  KEY `idx_event_streams_id` (`stream_id`,`tenant_id`),
  KEY `idx_event_streams_type` (`tenant_id`,`stream_type`,`stream_id`),
  CONSTRAINT `event_streams_chk_1` CHECK ((`version` >= 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `event_tags` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `tag` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `position` bigint NOT NULL,
  PRIMARY KEY (`tenant_id`,`tag`,`position`),
  KEY `idx_event_tags_position` (`position`),
  CONSTRAINT `event_tags_ibfk_1` FOREIGN KEY (`position`) REFERENCES `events` (`position`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `events` (
  `position` bigint NOT NULL AUTO_INCREMENT,
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_type` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `version` bigint NOT NULL,
  `event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `event_type` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `schema_version` int NOT NULL,
  `event_data` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  `metadata` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  `tags` text COLLATE utf8mb4_0900_bin NOT NULL,
  `correlation_id` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `causation_id` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `created_by` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `occurred_at` datetime(3) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `event_size_bytes` int NOT NULL,
  `checksum` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (`position`),
  UNIQUE KEY `idx_events_stream` (`tenant_id`,`stream_id`,`version`),
  UNIQUE KEY `idx_events_event_id` (`tenant_id`,`event_id`),
  KEY `idx_events_type` (`tenant_id`,`event_type`,`position`),
  KEY `idx_events_created_at` (`created_at`),
  KEY `idx_events_correlation_id` (`tenant_id`,`correlation_id`,`position`),
  KEY `idx_events_causation_id` (`tenant_id`,`causation_id`,`position`),
  CONSTRAINT `events_chk_1` CHECK ((`tenant_id` <> _utf8mb4'')),
  CONSTRAINT `events_chk_2` CHECK ((`stream_id` <> _utf8mb4'')),
  CONSTRAINT `events_chk_3` CHECK ((`stream_type` <> _utf8mb4'')),
  CONSTRAINT `events_chk_4` CHECK ((`version` > 0)),
  CONSTRAINT `events_chk_5` CHECK ((`event_type` <> _utf8mb4'')),
  CONSTRAINT `events_chk_6` CHECK ((`schema_version` > 0)),
  CONSTRAINT `events_chk_7` CHECK (json_valid(`event_data`)),
  CONSTRAINT `events_chk_8` CHECK (json_valid(`metadata`)),
  CONSTRAINT `events_chk_9` CHECK (json_valid(`tags`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `parked_events` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL COMMENT 'of the projection',
  `projection_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `projection_version` int NOT NULL,
  `position` bigint NOT NULL,
  `shard` int NOT NULL,
  `event_tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `version` bigint NOT NULL,
  `event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `event_type` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `error_message` text COLLATE utf8mb4_0900_bin NOT NULL,
  `attempts` int NOT NULL COMMENT '0: it only waits behind another one',
  `retry_requested` tinyint NOT NULL DEFAULT '0',
  `parked_at` datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`position`),
  KEY `idx_parked_events_stream` (`tenant_id`,`projection_name`,`projection_version`,`stream_id`,`position`),
  CONSTRAINT `parked_events_chk_1` CHECK ((`attempts` >= 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `process_instances` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `process_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `correlation_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `completed` tinyint NOT NULL,
  `state` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  `pending` longtext COLLATE utf8mb4_0900_bin NOT NULL COMMENT 'ids of the timeouts that may still fire, by name',
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`correlation_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `process_outbox` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `process_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `position` bigint NOT NULL COMMENT 'of the event that led to it',
  `number` int NOT NULL,
  `correlation_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `entry` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  `attempts` int NOT NULL DEFAULT '0',
  `error_message` text COLLATE utf8mb4_0900_bin,
  `due_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`position`,`number`),
  KEY `idx_process_outbox_correlation` (`tenant_id`,`process_name`,`correlation_id`,`position`,`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `process_timeouts` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `process_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `correlation_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `timeout_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `timeout_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `due_at` datetime(6) NOT NULL,
  `data` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  PRIMARY KEY (`tenant_id`,`process_name`,`correlation_id`,`timeout_name`),
  KEY `idx_process_timeouts_due` (`tenant_id`,`process_name`,`due_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `projection_checkpoints` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `projection_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `projection_version` int NOT NULL,
  `shard` int NOT NULL,
  `shards` int NOT NULL,
  `last_position` bigint NOT NULL DEFAULT '0' COMMENT 'everything up to here was applied, skipped by policy, or parked',
  `last_event_id` char(36) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL COMMENT 'of the last event that was, at last_event_position',
  `last_event_position` bigint DEFAULT NULL,
  `last_processed_at` datetime(6) DEFAULT NULL,
  `events_processed` bigint NOT NULL DEFAULT '0',
  `status` varchar(20) COLLATE utf8mb4_0900_bin NOT NULL,
  `error_message` text COLLATE utf8mb4_0900_bin,
  `pending_step` varchar(20) COLLATE utf8mb4_0900_bin DEFAULT NULL COMMENT 'to be done before the next event',
  `in_charge` tinyint NOT NULL DEFAULT '0' COMMENT '1 once this version has taken over',
  `target_position` bigint NOT NULL DEFAULT '0' COMMENT 'as far as a version has to have come before it may take over',
  `log_id` char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `epoch` bigint NOT NULL DEFAULT '0',
  `created_at` datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`shard`),
  CONSTRAINT `projection_checkpoints_chk_1` CHECK ((`projection_version` > 0)),
  CONSTRAINT `projection_checkpoints_chk_2` CHECK (((`shard` >= 0) and (`shard` < `shards`))),
  CONSTRAINT `projection_checkpoints_chk_3` CHECK ((`last_position` >= 0)),
  CONSTRAINT `projection_checkpoints_chk_4` CHECK ((`status` in (_utf8mb4'running',_utf8mb4'paused',_utf8mb4'rebuilding',_utf8mb4'faulted'))),
  CONSTRAINT `projection_checkpoints_chk_5` CHECK ((`pending_step` in (_utf8mb4'set-up',_utf8mb4'reset')))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `projection_leases` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `projection_name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `projection_version` int NOT NULL,
  `shard` int NOT NULL,
  `owner` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `epoch` bigint NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  `connection` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL COMMENT 'of the batch under way, on engines that have to end it',
  `wanted_by` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL COMMENT 'a process that has fewer; the owner hands it over',
  `wanted_until` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`tenant_id`,`projection_name`,`projection_version`,`shard`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `snapshots` (
  `tenant_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `stream_id` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `snapshot_type` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `version` bigint NOT NULL COMMENT 'of the last event that is in it',
  `schema_version` int NOT NULL COMMENT 'of the state',
  `state` longtext COLLATE utf8mb4_0900_bin NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`tenant_id`,`stream_id`,`snapshot_type`,`version`),
  KEY `idx_snapshots_cleanup` (`tenant_id`,`created_at`),
  KEY `idx_snapshots_type` (`tenant_id`,`snapshot_type`),
  CONSTRAINT `snapshots_chk_1` CHECK ((`version` > 0)),
  CONSTRAINT `snapshots_chk_2` CHECK ((`schema_version` > 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `varve_meta` (
  `name` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `value` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE `varve_migrations` (
  `name` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `checksum` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `applied_at` datetime(6) DEFAULT NULL,
  `duration_ms` int DEFAULT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v_event_statistics` AS select `events`.`tenant_id` AS `tenant_id`,`events`.`stream_type` AS `stream_type`,`events`.`event_type` AS `event_type`,count(0) AS `event_count`,avg(`events`.`event_size_bytes`) AS `avg_size_bytes`,max(`events`.`event_size_bytes`) AS `max_size_bytes`,min(`events`.`created_at`) AS `first_event_at`,max(`events`.`created_at`) AS `last_event_at`,count(distinct `events`.`stream_id`) AS `unique_streams` from `events` group by `events`.`tenant_id`,`events`.`stream_type`,`events`.`event_type`;

CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v_recent_events` AS select `events`.`event_id` AS `event_id`,`events`.`tenant_id` AS `tenant_id`,`events`.`stream_id` AS `stream_id`,`events`.`stream_type` AS `stream_type`,`events`.`event_type` AS `event_type`,`events`.`version` AS `version`,`events`.`position` AS `position`,`events`.`created_at` AS `created_at`,`events`.`correlation_id` AS `correlation_id` from `events` where (`events`.`created_at` > (utc_timestamp(6) - interval 24 hour));

CREATE TRIGGER `trigger_event_tags_no_delete` BEFORE DELETE ON `event_tags` FOR EACH ROW if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be deleted';
end if;

CREATE TRIGGER `trigger_event_tags_no_update` BEFORE UPDATE ON `event_tags` FOR EACH ROW if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text = 'varve: the tags of events are append-only, they cannot be updated';
end if;

CREATE TRIGGER `trigger_events_no_delete` BEFORE DELETE ON `events` FOR EACH ROW if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be deleted; retention and repair go through store.maintenance()';
end if;

CREATE TRIGGER `trigger_events_no_update` BEFORE UPDATE ON `events` FOR EACH ROW if coalesce(@varve_maintenance, 0) <> 1 then
  signal sqlstate '45000' set message_text =
    'varve: events are append-only, they cannot be updated; retention and repair go through store.maintenance()';
end if;

CREATE PROCEDURE `append_event`(
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
