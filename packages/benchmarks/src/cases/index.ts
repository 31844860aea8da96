import type { Benchmark } from '../benchmark.ts'
import { postgresAppendBatch } from './postgres-append-batch.ts'
import { postgresAppend } from './postgres-append.ts'
import { postgresHotStream } from './postgres-hot-stream.ts'
import { postgresMemory } from './postgres-memory.ts'
import { postgresReadAll } from './postgres-read-all.ts'
import { postgresReadStream } from './postgres-read-stream.ts'
import { sqliteAppend } from './sqlite-append.ts'
import { sqliteOpen } from './sqlite-open.ts'
import { sqliteReadAll } from './sqlite-read-all.ts'

export const benchmarks: readonly Benchmark[] = [
  postgresAppend,
  postgresHotStream,
  postgresAppendBatch,
  postgresReadAll,
  postgresReadStream,
  postgresMemory,
  sqliteAppend,
  sqliteReadAll,
  sqliteOpen,
]
