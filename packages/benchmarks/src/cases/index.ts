import type { Benchmark } from '../benchmark.ts'
import { postgresAppendBatch } from './postgres-append-batch.ts'
import { postgresAppend } from './postgres-append.ts'
import { postgresHotStream } from './postgres-hot-stream.ts'
import { postgresReadAll } from './postgres-read-all.ts'
import { postgresReadStream } from './postgres-read-stream.ts'

export const benchmarks: readonly Benchmark[] = [
  postgresAppend,
  postgresHotStream,
  postgresAppendBatch,
  postgresReadAll,
  postgresReadStream,
]
