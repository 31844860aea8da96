import { resolveProcessRun } from '@varve/core'
import type {
  EventStore,
  AnyProcess,
  ProcessAdmin,
  ProcessInfo,
  ProcessRunOptions,
  ProjectionRunner,
} from '@varve/core'
import type { AdminContext } from '../consume/admin.js'
import { SqlProjectionAdmin } from '../consume/admin.js'
import { tell } from '../consume/run-context.js'
import { ProcessRunner } from './process-runner.js'
import { processProjection, projectionOf } from './process-projection.js'
import { ProcessTables } from './process-tables.js'

/** Running processes by one tenant's handle. */
export class SqlProcessAdmin<Client> implements ProcessAdmin {
  readonly #context: AdminContext<Client>
  readonly #store: EventStore<Client>
  readonly #tables: ProcessTables
  readonly #projections: SqlProjectionAdmin<Client>

  constructor(context: AdminContext<Client>, store: EventStore<Client>) {
    this.#context = context
    this.#store = store
    this.#tables = new ProcessTables(context.dialect)
    this.#projections = new SqlProjectionAdmin(context, store.tenantId, true)
  }

  run(processes: readonly AnyProcess[], options?: ProcessRunOptions): ProjectionRunner {
    const { onFailure, ...rest } = resolveProcessRun(processes, options)
    const { tail, lifecycle, checkpoints } = this.#context
    const { tenantId } = this.#store
    const members = processes.map((process) => ({
      process,
      projection: projectionOf(process.name),
      key: { tenantId, process: process.name },
      tables: this.#tables,
      store: this.#store as EventStore,
      query: lifecycle.query,
      onFailure,
      handled: async () => {
        const row = { tenantId, name: projectionOf(process.name), version: 1, shard: 0 }
        return (await checkpoints.read(lifecycle.query, row))?.eventsProcessed ?? 0
      },
    }))
    const projections = members.map(({ process, key }) =>
      processProjection<Client>(process, key, this.#tables),
    )
    const runner = new ProcessRunner(members, tail, (hooks) =>
      this.#projections.run(projections, {
        ...rest,
        onLease(report) {
          hooks.onLease(report)
          tell(rest.onLease, report)
        },
        onBatch(report) {
          hooks.onBatch()
          tell(rest.onBatch, report)
        },
      }),
    )
    this.#context.started(runner)
    const stop = (): void => void runner.stop()
    if (rest.signal?.aborted === true) stop()
    rest.signal?.addEventListener('abort', stop, { once: true })
    return runner
  }

  async get(process: string, correlationId: string): Promise<ProcessInfo | undefined> {
    const { query } = this.#context.lifecycle
    const key = { tenantId: this.#store.tenantId, process }
    const instance = await this.#tables.read(query, key, correlationId)
    if (instance === undefined) return undefined
    const [entries, timeouts] = await Promise.all([
      this.#tables.outbox.of(query, key, correlationId),
      this.#tables.timeouts.of(query, key, correlationId),
    ])
    return {
      process,
      correlationId,
      status: instance.completed ? 'completed' : 'running',
      state: instance.state,
      waiting: entries.map(({ entry, attempts, errorMessage }) => ({
        ...(entry.kind === 'command' && { command: entry.command }),
        attempts,
        ...(errorMessage !== undefined && { errorMessage }),
      })),
      timeouts: timeouts.map(({ name, dueAt }) => ({ name, dueAt })),
    }
  }
}
