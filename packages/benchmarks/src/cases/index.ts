import type { Benchmark } from '../benchmark.ts'
import { mariadbAppend, mysqlAppend } from './mysql-append.ts'
import { mariadbLoad, mysqlLoad } from './mysql-load.ts'
import { mariadbReadAll, mysqlReadAll } from './mysql-read-all.ts'
import { postgresAppendBatch } from './postgres-append-batch.ts'
import { postgresAppend } from './postgres-append.ts'
import { postgresFeedLatency } from './postgres-feed-latency.ts'
import { postgresHotStream } from './postgres-hot-stream.ts'
import { postgresLoad } from './postgres-load.ts'
import { postgresMemory } from './postgres-memory.ts'
import { postgresMonths } from './postgres-months.ts'
import { postgresProjections } from './postgres-projections.ts'
import { postgresReadAll } from './postgres-read-all.ts'
import { postgresReadStream } from './postgres-read-stream.ts'
import { webhookClaims } from './postgres-webhook-claims.ts'
import { webhookDeliveries } from './postgres-webhook-deliveries.ts'
import { webhookFairness } from './postgres-webhook-fairness.ts'
import { webhookLatency } from './postgres-webhook-latency.ts'
import { sqliteAppend } from './sqlite-append.ts'
import { sqliteLoad } from './sqlite-load.ts'
import { sqliteOpen } from './sqlite-open.ts'
import { sqliteReadAll } from './sqlite-read-all.ts'

export const benchmarks: readonly Benchmark[] = [
  postgresAppend,
  postgresHotStream,
  postgresAppendBatch,
  postgresReadAll,
  postgresReadStream,
  postgresLoad,
  postgresMemory,
  postgresProjections,
  postgresFeedLatency,
  postgresMonths,
  webhookDeliveries,
  webhookClaims,
  webhookLatency,
  webhookFairness,
  sqliteAppend,
  sqliteReadAll,
  sqliteLoad,
  sqliteOpen,
  mysqlAppend,
  mariadbAppend,
  mysqlReadAll,
  mariadbReadAll,
  mysqlLoad,
  mariadbLoad,
]
